package dev.wukong.data;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * The distinct rows of one batch, and the slot of every id position: keys in, {@code rows.<group>}
 * and {@code slots.<scope>.<group>} out. Slots count from 1 in order of first use; slot 0 is the
 * padding row. Used again from batch to batch, and allocates nothing once it has seen the largest.
 * Not thread-safe.
 */
public final class UniqueRows {
  private final KeySlots[] groups;
  private final SlotColumns[] context;
  private final SlotColumns[] candidate;

  /** Room for the slots of one row. */
  private final int[] row;

  public UniqueRows(InputLayout layout) {
    int count = layout.groups().size();
    this.groups = new KeySlots[count];
    this.context = new SlotColumns[count];
    this.candidate = new SlotColumns[count];
    int widest = 0;
    for (int g = 0; g < count; g++) {
      groups[g] = new KeySlots();
      context[g] = SlotColumns.of(layout, Scope.CONTEXT, g);
      candidate[g] = SlotColumns.of(layout, Scope.CANDIDATE, g);
      widest = Math.max(widest, Math.max(context[g].width(), candidate[g].width()));
    }
    this.row = new int[widest];
  }

  private SlotColumns columns(Scope scope, int group) {
    return switch (scope) {
      case CONTEXT -> context[group];
      case CANDIDATE -> candidate[group];
    };
  }

  /** Forgets all rows, for the next batch. */
  public void clear() {
    for (KeySlots group : groups) {
      group.clear();
    }
  }

  /**
   * Distinct rows of {@code group} so far, the padding row not counted: slots 1 to this are in use.
   */
  public int size(int group) {
    return groups[group].size();
  }

  /** The {@link RowKey} of the row in {@code slot}, 1 to {@link #size}. */
  public long key(int group, int slot) {
    return groups[group].key(slot);
  }

  /** The keys of {@code count} slots from {@code first} on, into {@code to} from its start. */
  public void keys(int group, int first, int count, long[] to) {
    groups[group].keys(first, count, to);
  }

  /** The slot of {@code key} in {@code group}, taken now if the batch does not have it yet. */
  public int slotOf(int group, long key) {
    return groups[group].slotOf(key);
  }

  /** The slot of {@code key} in {@code group}, or 0 where it has none. */
  public int find(int group, long key) {
    return groups[group].find(key);
  }

  /**
   * Puts the slots of {@code rows} at {@code out}'s position and moves it: [rows, slot width],
   * row-major. Call it once for each block of a batch, in order; blocks of several requests follow
   * one another.
   */
  public void slots(Scope scope, int group, EncodedRows rows, IntBuffer out) {
    slots(scope, group, rows, 0, rows.rows(), out);
  }

  /** The same for {@code count} of the rows, from row {@code from}. */
  public void slots(Scope scope, int group, EncodedRows rows, int from, int count, IntBuffer out) {
    SlotColumns columns = columns(scope, group);
    KeySlots keys = groups[group];
    int start = out.position();
    int end = start + Math.multiplyExact(count, columns.width());
    if (end > out.limit()) {
      throw new IllegalArgumentException(
          "%d slots do not fit into %d".formatted(end - start, out.remaining()));
    }
    for (int i = 0; i < count; i++) {
      keys.slotsOf(rows.ids(), (from + i) * columns.idsPerRow(), columns, row);
      out.put(start + i * columns.width(), row, 0, columns.width());
    }
    out.position(end);
  }

  /** Puts the weights beside those slots: 1 for features without weights. */
  public void weights(Scope scope, int group, EncodedRows rows, FloatBuffer out) {
    weights(scope, group, rows, 0, rows.rows(), out);
  }

  /** The same for {@code count} of the rows, from row {@code from}. */
  public void weights(
      Scope scope, int group, EncodedRows rows, int from, int count, FloatBuffer out) {
    SlotColumns columns = columns(scope, group);
    int start = out.position();
    int end = start + Math.multiplyExact(count, columns.width());
    if (end > out.limit()) {
      throw new IllegalArgumentException(
          "%d weights do not fit into %d".formatted(end - start, out.remaining()));
    }
    float[] weights = rows.weights();
    for (int i = 0; i < count; i++) {
      int to = start + i * columns.width();
      int at = (from + i) * columns.idsPerRow();
      for (int column = 0; column < columns.width(); column++) {
        out.put(to + column, weights[at + columns.positions()[column]]);
      }
    }
    out.position(end);
  }
}
