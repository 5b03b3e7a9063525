package dev.wukong.serving.embedding;

import java.lang.System.Logger.Level;

/**
 * Writes a bundle's rows to a Redis cluster. Every so often it waits until all are there, and notes
 * how far it has come; where a master fails it waits for the replica that takes over, and writes
 * what may be lost again. Several processes that load the same rows do not harm each other. One
 * thread; all throw {@link StoreException}.
 */
final class RedisBulk implements BulkRows {
  private static final System.Logger log = System.getLogger(RedisBulk.class.getName());

  private final RedisLoads loads;
  private final RedisKeys keys;
  private final RowsView view;
  private final String digest;
  private final String filling;
  private final long after;
  private final RedisWindow window;
  private long last;

  /**
   * Goes on after the row with the key {@code after}.
   *
   * @param filling which the rows belong to
   */
  RedisBulk(
      RedisLoads loads, RedisKeys keys, RowsView view, String digest, String filling, long after) {
    this.loads = loads;
    this.keys = keys;
    this.view = view;
    this.digest = digest;
    this.filling = filling;
    this.after = after;
    this.last = after;
    String doing =
        "writing the rows of model '%s' version %d".formatted(view.model(), view.bundle());
    byte[] sign = RedisSigns.coming(filling);
    this.window =
        new RedisWindow(
            loads.connection(),
            loads.times().patience(),
            () -> RedisWrites.signed(loads.connection(), keys, view.version(), sign, doing));
  }

  @Override
  public long after() {
    return after;
  }

  @Override
  public void add(int width, long[] added, int count, float[] values) {
    for (int i = 0; i < count; i++) {
      if (added[i] > after) {
        window.add(added[i], RedisValue.encode(view.version(), width, values, i * width));
        last = added[i];
        if (window.full()) {
          settle();
          if (window.copied()) {
            note(ImportMark.partly(digest, last));
          }
        }
      }
    }
  }

  private void settle() {
    if (window.settle() > 0) {
      // Shards take no more where another process has finished; else something is wrong.
      loads
          .times()
          .patience()
          .outlast(
              () -> {
                loads.requireWhole(keys, filling);
                return true;
              });
    }
  }

  private void note(ImportMark mark) {
    RedisLoads.requireOwn(
        loads.times().patience().outlast(() -> loads.marks().note(keys, filling, mark)));
  }

  @Override
  public void finish() {
    settle();
    if (!loads.times().patience().outlast(() -> loads.signs().finish(keys, filling))) {
      RedisLoads.requireOwn(loads.marks().filling(keys).equals(filling));
      throw RedisLoads.lost();
    }
    note(ImportMark.complete(digest));
    if (!loads.connection().replicate() || !window.copied()) {
      log.log(
          Level.WARNING,
          "model ''{0}'' version {1}: no replica says that it has all rows; a master that fails now"
              + " takes some along",
          view.model(),
          Long.toString(view.bundle()));
    }
  }

  @Override
  public void close() {}
}
