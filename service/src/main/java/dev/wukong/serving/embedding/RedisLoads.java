package dev.wukong.serving.embedding;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Begins to fill bundles, in one process at a time, and knows which are. Any thread; all throw
 * {@link StoreException}.
 *
 * @param fillings gives each filling a name that no other one has
 */
record RedisLoads(
    RedisConnection connection,
    RedisTimes times,
    RedisMarks marks,
    RedisSigns signs,
    RedisDrops drops,
    Supplier<String> fillings) {
  /*
   * A filling is what has come since a bundle had nothing. Its name is beside the mark and in each
   * shard's sign while rows come, so that no row, note or end of another one, begun before and not
   * aware of it, gets in. Several processes may fill together: the same rows from the same source.
   */

  /**
   * The digest of the source that all rows are from. None where a node has lost what it had: then
   * all must come again, and changes since are lost. A bundle without any sign is one from before
   * there were signs.
   */
  Optional<String> imported(RedisKeys keys) {
    Optional<String> complete = marks.mark(keys).flatMap(ImportMark::complete);
    if (complete.isEmpty()) {
      return complete;
    }
    RedisSigns.Standing signed = signs.standing(keys, "");
    return signed.complete() || signed.none() ? complete : Optional.empty();
  }

  /** Begins to fill a bundle, goes on, or has nothing to do where another process has done it. */
  BulkRows begin(RowsView view, RedisKeys keys, String digest) {
    try (RedisLock lock = RedisLock.take(connection, keys, fillings.get(), times)) {
      return times.patience().outlast(() -> begin(view, keys, digest, lock));
    }
  }

  private BulkRows begin(RowsView view, RedisKeys keys, String digest, RedisLock lock) {
    if (imported(keys).equals(Optional.of(digest))) {
      return new RedisFilled(this, keys, digest);
    }
    OptionalLong after =
        marks.mark(keys).map(mark -> mark.after(digest)).orElse(OptionalLong.empty());
    String filling = marks.filling(keys);
    RedisSigns.Standing signed = signs.standing(keys, filling);
    if (after.isEmpty() || !signed.whole()) {
      if (!signed.none()) {
        marks.add(view); // Or the drop would not find it, where the list has been lost.
      }
      drops.drop(view, keys, lock, RedisDrops.NOBODY);
      marks.add(view);
      filling = fillings.get();
      marks.fill(keys, filling);
      requireOwn(signs.begin(keys, filling));
      after = OptionalLong.empty();
      boolean _ = connection.replicate(); // A shard without its sign takes no rows.
      // So that another process that loads the same goes on here, instead of dropping it.
      requireOwn(marks.note(keys, filling, ImportMark.partly(digest, BulkRows.NOTHING)));
    }
    return new RedisBulk(this, keys, view, digest, filling, after.orElse(BulkRows.NOTHING));
  }

  /**
   * Fails unless the bundle is still what a filling has made of it so far.
   *
   * @throws StoreException if it is not, and must be loaded again
   */
  void requireWhole(RedisKeys keys, String filling) {
    // Signs first: those of a filling that begins after this was read are not its own.
    boolean whole = signs.standing(keys, filling).whole();
    requireOwn(marks.filling(keys).equals(filling));
    if (!whole) {
      throw lost();
    }
  }

  /**
   * Fails unless {@code own}.
   *
   * @throws StoreException if the bundle must be loaded again
   */
  static void requireOwn(boolean own) {
    if (!own) {
      throw new StoreException(
          "another process has dropped these rows, or begun anew; load the bundle again", null);
    }
  }

  static StoreException lost() {
    return new StoreException(
        "a node has lost its rows while they were written; load the bundle again", null);
  }
}
