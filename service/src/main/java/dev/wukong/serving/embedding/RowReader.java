package dev.wukong.serving.embedding;

/**
 * Reads a bundle's rows as they are at one version, whatever is written meanwhile. Any thread, any
 * number at once; reading may block on a disk or a network, so it belongs on a platform thread.
 */
public interface RowReader extends AutoCloseable {
  /**
   * Reads rows of one width.
   *
   * @param keys the first {@code count} are read
   * @param rows receives row i at {@code i * width} if it is found
   * @param fates receives what became of row i; {@link RowFate#UNREAD} where only the part of the
   *     store that holds it failed
   * @throws StoreException if the store fails, or holds a row of another width
   */
  void read(int width, long[] keys, int count, float[] rows, RowFate[] fates);

  /** Ends; not during a read. */
  @Override
  void close();
}
