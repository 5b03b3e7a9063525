package dev.wukong.serving.embedding;

/**
 * Rows of one width that become visible together.
 *
 * @param view whose rows they are; {@code view.version()} is the version they carry
 * @param keys row keys, any order, distinct
 * @param rows [keys, width]
 */
@SuppressWarnings(
    "ArrayRecordComponent") // Rows by the thousand on their way to disk, never compared.
public record RowCommit(RowsView view, int width, long[] keys, float[] rows) {
  public RowCommit {
    if (width < 1 || rows.length != Math.multiplyExact(keys.length, width)) {
      throw new IllegalArgumentException(
          "%d keys of width %d need %d floats, got %d"
              .formatted(keys.length, width, (long) keys.length * width, rows.length));
    }
  }
}
