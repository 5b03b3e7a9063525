package dev.wukong.bundle;

import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes the rows of one table, or their optimizer state, as files of bounded size: {@code ids} I64
 * [N] ascending, and [N, k] F32 for each kind of value.
 */
final class RowParts {
  static final String IDS = "ids";
  static final String ROWS = "rows";

  /** What the optimizer keeps of a row. */
  static final String STATE = "state";

  private final String folder;
  private final Table table;
  private final long partBytes;
  private final Files files;
  private int next;
  private long lastId = -1;
  private long count;

  /** Opens the files that parts go to. */
  interface Files {
    OutputStream create(String name) throws IOException;
  }

  RowParts(String folder, Table table, long partBytes, Files files) {
    this.folder = folder;
    this.table = table;
    this.partBytes = partBytes;
    this.files = files;
  }

  /** Rows written so far. */
  long count() {
    return count;
  }

  /**
   * Writes the next rows.
   *
   * @param values by tensor name, [ids.length, k] each
   * @throws IllegalArgumentException if ids do not ascend or values do not fit or are not finite
   */
  void write(long[] ids, Map<String, FloatBuffer> values) throws IOException {
    if (ids.length == 0) {
      return;
    }
    checkIds(ids);
    Map<String, FloatBuffer> sorted = new TreeMap<>(values);
    long rowBytes = Long.BYTES;
    for (Map.Entry<String, FloatBuffer> entry : sorted.entrySet()) {
      checkValues(entry.getKey(), ids, entry.getValue());
      rowBytes += (long) entry.getValue().remaining() / ids.length * Float.BYTES;
    }
    int rowsPerPart = Math.clamp(partBytes / rowBytes, 1, Integer.MAX_VALUE);
    for (int from = 0; from < ids.length; from += Math.min(rowsPerPart, ids.length - from)) {
      writePart(ids, sorted, from, Math.min(rowsPerPart, ids.length - from));
    }
    lastId = ids[ids.length - 1];
    count += ids.length;
  }

  private void writePart(long[] ids, Map<String, FloatBuffer> values, int from, int rows)
      throws IOException {
    List<TensorSpec> specs = new ArrayList<>();
    specs.add(TensorSpec.of(IDS, DType.I64, rows));
    values.forEach(
        (name, all) ->
            specs.add(TensorSpec.of(name, DType.F32, rows, all.remaining() / ids.length)));
    OutputStream out = files.create(BundleNames.part(folder, table, next));
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            out, Map.of("table", table.name(), "part", Integer.toString(next)), specs)) {
      writer.longs(IDS, LongBuffer.wrap(ids, from, rows));
      for (Map.Entry<String, FloatBuffer> entry : values.entrySet()) {
        FloatBuffer all = entry.getValue();
        int width = all.remaining() / ids.length;
        writer.floats(entry.getKey(), all.slice(all.position() + from * width, rows * width));
      }
    }
    next++;
  }

  private void checkIds(long[] ids) {
    long last = lastId;
    for (long id : ids) {
      if (id <= last || id >= RowKey.ID_LIMIT) {
        throw new IllegalArgumentException(
            "table '%s': id %d follows %d, ids must ascend and be from 0 to %d"
                .formatted(table.name(), id, last, RowKey.ID_LIMIT - 1));
      }
      last = id;
    }
  }

  private void checkValues(String name, long[] ids, FloatBuffer values) {
    if (name.equals(IDS) || values.remaining() == 0 || values.remaining() % ids.length != 0) {
      throw new IllegalArgumentException(
          "table '%s': %d values of '%s' do not fit %d ids"
              .formatted(table.name(), values.remaining(), name, ids.length));
    }
    for (int i = values.position(); i < values.limit(); i++) {
      if (!Float.isFinite(values.get(i))) {
        long id = ids[(i - values.position()) / (values.remaining() / ids.length)];
        throw new IllegalArgumentException(
            "table '%s', id %d: '%s' holds %s, values must be finite"
                .formatted(table.name(), id, name, values.get(i)));
      }
    }
  }
}
