package dev.wukong.serving.embedding;

/**
 * All rows of a bundle on their way into a store. What was cut short can be gone on with: see
 * {@link RowStore#bulk}. One thread.
 */
public interface BulkRows extends AutoCloseable {
  /** No row has this key or a lower one. */
  long NOTHING = -1;

  /** Rows up to this key are there already; {@link #NOTHING} where there are none yet. */
  long after();

  /**
   * Adds rows; those up to {@link #after} are left out.
   *
   * @param keys the first {@code count} are added; ascending, and above all that were added before
   * @param rows row i at {@code i * width}
   * @throws StoreException if the store fails
   */
  void add(int width, long[] keys, int count, float[] rows);

  /** How many of the rows that were added another bundle has as they are, and are kept once. */
  default long shared() {
    return 0;
  }

  /**
   * Says that these were all; from now on {@link RowStore#imported} gives the digest.
   *
   * @throws StoreException if the store fails
   */
  void finish();

  /** Ends; what was not finished stays, to be gone on with. */
  @Override
  void close();
}
