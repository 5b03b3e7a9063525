package dev.wukong.training;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The rows of a bundle and what was made of them, in a map; ids that it has not got get none. */
final class BundleOrigin implements RowOrigin {
  private record Row(float[] row, float[] state) {}

  private final Map<Long, Row> rows = new HashMap<>();
  private final List<Table> tables;
  private final Map<String, float[]> defaults;

  /** How often ids were asked for that have no row. */
  final Map<Long, Integer> absent = new HashMap<>();

  BundleOrigin(Bundle bundle) {
    tables = bundle.layout().tables();
    defaults = bundle.manifest().defaultRows();
    for (Table table : tables) {
      Map<Long, float[]> states = new HashMap<>();
      bundle.forEachState(
          table,
          (ids, values) -> {
            FloatBuffer all = Objects.requireNonNull(values.get("state"));
            int width = all.remaining() / ids.remaining();
            for (int i = 0; i < ids.remaining(); i++) {
              states.put(ids.get(ids.position() + i), floats(all.slice(i * width, width)));
            }
          });
      bundle.forEachRow(
          table,
          (id, row) ->
              rows.put(
                  RowKey.of(table.ordinal(), id),
                  new Row(floats(row), Objects.requireNonNull(states.get(id)))));
    }
  }

  private static float[] floats(FloatBuffer buffer) {
    float[] values = new float[buffer.remaining()];
    buffer.get(buffer.position(), values);
    return values;
  }

  @Override
  public void load(int width, long[] keys, int[] times, boolean create, Receiver receiver) {
    for (int i = 0; i < keys.length; i++) {
      Row row = rows.get(keys[i]);
      if (row != null) {
        receiver.row(i, row.row(), row.state());
      } else if (create) {
        absent.merge(keys[i], times[i], Integer::sum);
      }
    }
  }

  @Override
  public float[] defaultRow(int table) {
    return Objects.requireNonNull(defaults.get(tables.get(table).name()));
  }

  /** Takes over what a session has changed. */
  void take(ChangedRows changed) {
    for (int i = 0; i < changed.keys().length; i++) {
      int width = changed.width();
      int stateWidth = changed.stateWidth();
      rows.put(
          changed.keys()[i],
          new Row(
              Arrays.copyOfRange(changed.rows(), i * width, (i + 1) * width),
              Arrays.copyOfRange(changed.states(), i * stateWidth, (i + 1) * stateWidth)));
    }
  }

  /** Calls {@code session} with every row, as a checkpoint would. */
  void restore(TrainSession session) {
    rows.forEach(
        (key, row) ->
            session.rows().restore(RowKey.table(key), RowKey.id(key), row.row(), row.state()));
  }

  /** A row that ids have; null where they have none. */
  float[] row(long key) {
    return Objects.requireNonNull(rows.get(key)).row();
  }

  boolean has(long key) {
    return rows.containsKey(key);
  }
}
