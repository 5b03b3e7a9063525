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
}
