package dev.wukong.data;

import java.util.Optional;

/**
 * A number that a model gets as the data has it, without a transform. Very large ones overflow the
 * arithmetic of a model, which is in float32.
 *
 * @param weight whether it is the weight of an id
 * @param row of the data, from 1
 */
public record RawNumber(String feature, boolean weight, float value, long row) {
  /** Beyond this, squares and products of a few numbers leave float32. */
  private static final float EXTREME = 1e15f;

  /** Whether it is so large that it may be why a result is no finite number. */
  public boolean extreme() {
    return Math.abs(value) > EXTREME;
  }

  /** The one of {@code data} that is furthest from 0; one pass over its rows. */
  public static Optional<RawNumber> largest(EncodedDataset data) {
    Optional<RawNumber> largest = Optional.empty();
    EncodedExamples room = data.allocate(1);
    for (long row = 0; row < data.rows(); row++) {
      EncodedExamples example = data.range(row, 1, room);
      largest = further(largest, largest(data.encoder(), example, 0, row + 1));
    }
    return largest;
  }

  /**
   * The one of an example that is furthest from 0; empty where it has none.
   *
   * @param at its place in {@code examples}
   * @param row its number in the data, from 1
   */
  public static Optional<RawNumber> largest(
      FeatureEncoder encoder, EncodedExamples examples, int at, long row) {
    return further(
        largest(encoder.columns(Scope.CONTEXT), examples.context(), at, row),
        largest(encoder.columns(Scope.CANDIDATE), examples.candidate(), at, row));
  }

  private static Optional<RawNumber> largest(
      ScopeColumns columns, EncodedRows rows, int at, long row) {
    Optional<RawNumber> largest = Optional.empty();
    for (DenseColumns column : columns.numbers()) {
      NumberFeature feature = column.feature();
      int from = at * columns.denseWidth() + column.start();
      for (int i = 0; feature.transform() == Transform.NONE && i < feature.width(); i++) {
        float value = rows.dense()[from + i];
        largest = further(largest, Optional.of(new RawNumber(feature.name(), false, value, row)));
      }
    }
    for (ScopeColumns.Ids column : columns.ids()) {
      IdFeature feature = column.feature();
      int from = at * columns.positions() + column.position();
      for (int i = 0; feature.weighted() && i < feature.maxIds(); i++) {
        float value = rows.weights()[from + i];
        largest = further(largest, Optional.of(new RawNumber(feature.name(), true, value, row)));
      }
    }
    return largest;
  }

  private static Optional<RawNumber> further(Optional<RawNumber> a, Optional<RawNumber> b) {
    if (a.isEmpty() || b.isEmpty()) {
      return a.isEmpty() ? b : a;
    }
    return Math.abs(b.get().value) > Math.abs(a.get().value) ? b : a;
  }
}
