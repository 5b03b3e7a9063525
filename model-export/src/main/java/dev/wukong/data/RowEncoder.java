package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Encodes the current row of a {@link RowSource}: the file's door of the {@link FeatureEncoder}.
 * Not thread-safe.
 */
public final class RowEncoder {
  private record BoundIds(ScopeColumns.Ids column, Cell cell) {}

  private record BoundNumber(DenseColumns column, Cell cell) {}

  private record BoundTask(Task task, Cell label, Optional<Cell> weight) {}

  private record BoundScope(ScopeColumns columns, List<BoundIds> ids, List<BoundNumber> numbers) {}

  private final List<BoundScope> scopes;
  private final List<BoundTask> tasks;
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
    this.tasks = tasks.stream().map(t -> bind(t, source)).toList();
  }

  private static BoundTask bind(Task task, RowSource source) {
    String what = "task '" + task.name() + "'";
    return new BoundTask(
        task,
        Cell.of(source, task.column(), what),
        task.weightColumn().map(column -> Cell.of(source, column, what)));
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
    if (found != feature.width()) {
      throw bound.cell().bad("has " + found + " values", feature.width() + " are needed");
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
    return tasks.size();
  }

  /**
   * Reads the current row's labels (0 or 1) and their weights to {@code from} and on; an absent
   * label is 0 with weight 0.
   *
   * @throws DataException if one is wrong
   */
  public void labels(float[] labels, float[] weights, int from) {
    for (int t = 0; t < tasks.size(); t++) {
      BoundTask bound = tasks.get(t);
      Object raw = bound.label().value();
      boolean there = raw != null && !raw.equals("");
      labels[from + t] = there ? label(bound, raw) : 0;
      weights[from + t] = there ? bound.weight().map(RowEncoder::weight).orElse(1f) : 0;
    }
  }

  private static float label(BoundTask bound, @Nullable Object raw) {
    if (raw == null) {
      return 0;
    }
    double value = bound.label().toNumber(raw);
    Optional<Double> threshold = bound.task().threshold();
    if (threshold.isPresent()) {
      return value >= threshold.get() ? 1 : 0;
    }
    if (value != 0 && value != 1) {
      throw bound
          .label()
          .bad("is '" + raw + "'", "a label of 0 or 1 is needed, or a threshold in the schema");
    }
    return (float) value;
  }

  private static float weight(Cell cell) {
    Object raw = cell.value();
    return raw == null || raw.equals("") ? 1 : cell.toWeight(raw);
  }
}
