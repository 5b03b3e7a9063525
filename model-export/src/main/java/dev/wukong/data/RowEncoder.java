package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Encodes the current row of a {@link RowSource}: the file's door of the {@link FeatureEncoder}.
 * Not thread-safe.
 */
public final class RowEncoder {
  private record BoundIds(ScopeColumns.Ids column, Cell cell) {}

  private record BoundNumber(DenseColumns column, Cell cell) {}

  private record BoundScope(ScopeColumns columns, List<BoundIds> ids, List<BoundNumber> numbers) {}

  private final List<BoundScope> scopes;
  private final LabelReader labels;
  private final CellValues values = new CellValues();

  RowEncoder(List<ScopeColumns> scopes, List<Task> tasks, RowSource source) {
    List<BoundScope> bound = new ArrayList<>();
    for (ScopeColumns columns : scopes) {
      bound.add(
          new BoundScope(
              columns,
              columns.ids().stream()
                  .map(c -> new BoundIds(c, Cell.of(source, c.feature())))
                  .toList(),
              columns.numbers().stream()
                  .map(c -> new BoundNumber(c, Cell.of(source, c.feature())))
                  .toList()));
    }
    this.scopes = List.copyOf(bound);
    this.labels = LabelReader.of(tasks, source);
  }

  /**
   * Encodes the current row's features into row {@code row} of the two blocks.
   *
   * @throws DataException if a value is wrong; the message names the source, the row, the feature,
   *     the value and what is allowed
   */
  public void encode(EncodedRows context, EncodedRows candidate, int row, EncodingCounts counts) {
    for (BoundScope scope : scopes) {
      EncodedRows target =
          switch (scope.columns().scope()) {
            case CONTEXT -> context;
            case CANDIDATE -> candidate;
          };
      FeatureEncoder.clear(scope.columns(), target, row);
      for (BoundIds bound : scope.ids()) {
        encodeIds(scope.columns(), bound, target, row, counts);
      }
      for (BoundNumber bound : scope.numbers()) {
        encodeNumbers(scope.columns(), bound, target, row, counts);
      }
    }
  }

  private void encodeIds(
      ScopeColumns columns, BoundIds bound, EncodedRows target, int row, EncodingCounts counts) {
    IdFeature feature = bound.column().feature();
    int found = values.read(feature, bound.cell());
    int kept = Math.min(found, feature.maxIds());
    counts.addTruncated(found - kept);
    int at = row * columns.positions() + bound.column().position();
    for (int i = 0; i < kept; i++) {
      long id = idOf(bound, found - kept + i);
      if (id == RowKey.UNSEEN) {
        counts.addUnseen();
      }
      target.ids()[at + i] = id;
      if (feature.weighted()) {
        target.weights()[at + i] = values.weight(found - kept + i);
      }
    }
    if (kept == 0 && !feature.multiValued()) {
      counts.addMissing();
      target.ids()[at] = RowKey.MISSING;
      if (feature.weighted()) {
        target.weights()[at] = 1;
      }
    }
  }

  private long idOf(BoundIds bound, int index) {
    IdFeature feature = bound.column().feature();
    IdMapper mapper = bound.column().mapper();
    Object value = values.value(index);
    if (feature.bucketed()) {
      return mapper.idOf(bound.cell().toNumber(value));
    }
    return switch (feature.type()) {
      case INT64 -> mapper.idOf(bound.cell().toInt64(value));
      case STRING -> {
        byte[] utf8 = bound.cell().toText(value).getBytes(StandardCharsets.UTF_8);
        yield mapper.idOf(MemorySegment.ofArray(utf8), 0, utf8.length);
      }
    };
  }

  private void encodeNumbers(
      ScopeColumns columns, BoundNumber bound, EncodedRows target, int row, EncodingCounts counts) {
    NumberFeature feature = bound.column().feature();
    int found = values.read(feature, bound.cell());
    int at = row * columns.denseWidth() + bound.column().start();
    if (found == 0) {
      if (!feature.optional()) {
        throw bound.cell().bad("is empty", "the feature is not optional, so a number is needed");
      }
      counts.addMissing();
      return;
    }
    for (int i = 0; i < found; i++) {
      target.dense()[at + i] = bound.cell().toFloat(values.value(i));
    }
    if (feature.optional()) {
      target.dense()[at + feature.width()] = 1;
    }
  }

  /** Tasks whose labels are read. */
  public int tasks() {
    return labels.tasks();
  }

  /**
   * Reads the current row's labels (0 or 1) and their weights to {@code from} and on; an absent
   * label is 0 with weight 0.
   *
   * @throws DataException if one is wrong
   */
  public void labels(float[] labels, float[] weights, int from) {
    this.labels.read(labels, weights, from);
  }
}
