package dev.wukong.data;

/**
 * The key of an embedding row: the table's ordinal in the layout (16 bits) and the id inside the
 * table (48 bits). User 5 and item 5 never meet. No key is negative, so -1 marks an unused
 * position.
 */
public final class RowKey {
  /** The id of every value that training has not seen. */
  public static final long UNSEEN = 0;

  /** The id of an absent value of a single-valued feature. */
  public static final long MISSING = 1;

  /** The first id that stands for a value. */
  public static final long FIRST = 2;

  /** Ids are below this. */
  public static final long ID_LIMIT = 1L << 48;

  /** Marks a position that holds no id. */
  public static final long NONE = -1;

  /** Odd, and as far as can be from what ids may be multiples of. */
  private static final long SPREADING = 0x9E3779B97F4A7C15L;

  private RowKey() {}

  /** The key of {@code id} in the table with ordinal {@code table}. */
  public static long of(int table, long id) {
    return ((long) table << 48) | id;
  }

  public static int table(long key) {
    return (int) (key >>> 48);
  }

  public static long id(long key) {
    return key & (ID_LIMIT - 1);
  }

  /**
   * A number of 32 bits, each of which depends on all of the key's: where a hash table looks for
   * the key. One product would not do, as it moves bits to the left alone: the same id of all
   * tables would meet in its low half.
   */
  public static int spread(long key) {
    long product = key * SPREADING;
    return (int) (((product ^ (product >>> Integer.SIZE)) * SPREADING) >>> Integer.SIZE);
  }
}
