package dev.wukong.training;

import dev.wukong.bundle.BundleWriter;
import dev.wukong.data.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Rows of one table, gathered on their way to a bundle's writer: what it gets at once is a file of
 * its own. One thread.
 */
final class TableBlock {
  /** Of a file: few enough of them for any table, and each fits into memory. */
  private static final long BYTES = 64L << 20;

  /** Rows for which there is room from the start: many tables have no more. */
  private static final int FEW = 8192;

  private final BundleWriter writer;
  private final List<Table> tables;
  private final long bytes;
  private long[] ids = new long[0];
  private float[] rows = new float[0];
  private float[] states = new float[0];
  private int stateWidth;
  private int table = -1;
  private int most;
  private int count;

  TableBlock(BundleWriter writer, List<Table> tables) {
    this(writer, tables, BYTES);
  }

  /**
   * A block.
   *
   * @param bytes of its rows with their state, at most
   */
  TableBlock(BundleWriter writer, List<Table> tables, long bytes) {
    this.writer = writer;
    this.tables = tables;
    this.bytes = bytes;
  }

  /**
   * Takes the next row: those of a table one after the other, by ascending id.
   *
   * @throws UncheckedIOException where a block cannot be written
   */
  void add(int of, long id, float[] row, float[] state) {
    if (of != table) {
      flush();
      table = of;
      stateWidth = state.length;
      long each = Long.BYTES + (long) Float.BYTES * (row.length + state.length);
      most = Math.clamp(bytes / each, 1, Integer.MAX_VALUE);
      resize(Math.min(FEW, most));
    } else if (count == most) {
      flush();
    } else if (count == ids.length) {
      resize((int) Math.min(2L * count, most));
    }
    ids[count] = id;
    System.arraycopy(row, 0, rows, count * row.length, row.length);
    System.arraycopy(state, 0, states, count * state.length, state.length);
    count++;
  }

  private void resize(int room) {
    ids = Arrays.copyOf(ids, room);
    rows = Arrays.copyOf(rows, room * tables.get(table).width());
    states = Arrays.copyOf(states, room * stateWidth);
  }

  /**
   * Writes the rows that are left.
   *
   * @throws UncheckedIOException where they cannot be written
   */
  void flush() {
    if (count == 0) {
      return;
    }
    Table current = tables.get(table);
    long[] own = Arrays.copyOf(ids, count);
    try {
      writer.rows(current, own, FloatBuffer.wrap(rows, 0, count * current.width()));
      if (stateWidth > 0) {
        writer.rowState(current, own, Map.of("state", Arrays.copyOf(states, count * stateWidth)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    count = 0;
  }
}
