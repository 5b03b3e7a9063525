package dev.wukong.serving.embedding;

import java.util.List;

/**
 * Changes of a bundle's rows that become visible together.
 *
 * @param view whose rows they are; {@code view.version()} is the version they carry
 * @param changes of each width; no key twice
 */
public record RowCommit(RowsView view, List<Changes> changes) {
  /**
   * Changes of rows of one width.
   *
   * @param keys of the rows that are set, any order
   * @param rows [keys, width]
   * @param removed keys of rows that are no more
   */
  @SuppressWarnings(
      "ArrayRecordComponent") // Rows by the thousand on their way to disk, never compared.
  public record Changes(int width, long[] keys, float[] rows, long[] removed) {
    public Changes {
      if (width < 1 || rows.length != Math.multiplyExact(keys.length, width)) {
        throw new IllegalArgumentException(
            "%d keys of width %d need %d floats, got %d"
                .formatted(keys.length, width, (long) keys.length * width, rows.length));
      }
    }
  }

  public RowCommit {
    changes = List.copyOf(changes);
  }

  /** Rows of one width that are set, with none that are removed. */
  public RowCommit(RowsView view, int width, long[] keys, float[] rows) {
    this(view, List.of(new Changes(width, keys, rows, new long[0])));
  }

  /** How many rows it sets or removes. */
  int size() {
    return changes.stream().mapToInt(c -> c.keys().length + c.removed().length).sum();
  }
}
