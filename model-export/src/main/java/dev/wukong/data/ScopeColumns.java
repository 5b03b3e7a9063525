package dev.wukong.data;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Where the features of one scope lie in {@link EncodedRows}, and how their values map. */
final class ScopeColumns {
  /** An id feature at its first {@code position}. */
  record Ids(IdFeature feature, IdMapper mapper, int position) {}

  private final Scope scope;
  private final List<Ids> ids;
  private final List<DenseColumns> numbers;
  private final int positions;
  private final int denseWidth;
  private final boolean weighted;

  ScopeColumns(Schema schema, Scope scope, Function<IdFeature, IdMapper> mappers) {
    this.scope = scope;
    List<Ids> placed = new ArrayList<>();
    int position = 0;
    for (IdFeature feature : schema.ids(scope)) {
      placed.add(new Ids(feature, mappers.apply(feature), position));
      position += feature.maxIds();
    }
    List<DenseColumns> dense = new ArrayList<>();
    int start = 0;
    for (NumberFeature feature : schema.numbers(scope)) {
      DenseColumns columns = new DenseColumns(feature, start);
      dense.add(columns);
      start += columns.width();
    }
    this.ids = List.copyOf(placed);
    this.numbers = List.copyOf(dense);
    this.positions = position;
    this.denseWidth = start;
    this.weighted = placed.stream().anyMatch(p -> p.feature().weighted());
  }

  Scope scope() {
    return scope;
  }

  List<Ids> ids() {
    return ids;
  }

  List<DenseColumns> numbers() {
    return numbers;
  }

  int positions() {
    return positions;
  }

  int denseWidth() {
    return denseWidth;
  }

  boolean weighted() {
    return weighted;
  }
}
