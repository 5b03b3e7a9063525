package dev.wukong.serving.embedding;

/**
 * Writes a bundle's rows to a Redis cluster. Every so often it waits until all are there, and notes
 * how far it has come. Several processes that load the same rows do not harm each other.
 */
final class RedisBulk implements BulkRows {
  /** Rows between two notes. */
  private static final int NOTE = 1 << 16;

  private final RedisConnection connection;
  private final RedisMarks marks;
  private final RedisSigns signs;
  private final RedisKeys keys;
  private final String digest;
  private final long after;
  private final long version;
  private final RedisWrites writes;
  private int sinceNote;
  private long last;

  /** Goes on after the row with the key {@code after}. */
  RedisBulk(
      RedisConnection connection,
      RedisMarks marks,
      RedisSigns signs,
      RedisKeys keys,
      RowsView view,
      String digest,
      long after) {
    this.connection = connection;
    this.marks = marks;
    this.signs = signs;
    this.keys = keys;
    this.digest = digest;
    this.after = after;
    this.version = view.version();
    this.last = after;
    // Where another process has loaded all and changed some since, its newer rows stay.
    this.writes =
        new RedisWrites(
            connection,
            keys,
            RedisScripts.INSTALL,
            version,
            "writing the rows of model '%s' version %d".formatted(view.model(), view.bundle()));
  }

  @Override
  public long after() {
    return after;
  }

  @Override
  public void add(int width, long[] added, int count, float[] values) {
    for (int i = 0; i < count; i++) {
      if (added[i] > after) {
        writes.add(added[i], RedisValue.encode(version, width, values, i * width));
        last = added[i];
        if (++sinceNote == NOTE) {
          settle();
          marks.put(keys, ImportMark.partly(digest, last));
        }
      }
    }
  }

  private void settle() {
    long _ = writes.finish();
    connection.replicate();
    sinceNote = 0;
  }

  @Override
  public void finish() {
    settle();
    signs.finish(keys);
    marks.put(keys, ImportMark.complete(digest));
    connection.replicate();
  }

  @Override
  public void close() {}
}
