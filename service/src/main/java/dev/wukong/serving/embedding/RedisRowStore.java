package dev.wukong.serving.embedding;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Rows in a Redis or Valkey cluster, for tables that outgrow a machine. Several processes may share
 * it.
 *
 * <p>Redis has no snapshots: each value holds a row's two newest versions. A reader of an older
 * view finds the rows that two later commits have changed {@link RowFate#UNREAD}. A commit is
 * atomic for readers through its version only, which is written last; and Redis may lose what was
 * written shortly before a master fails, so that {@link #durable} means that rows outlive this
 * process, not that they outlive every failure of the cluster.
 */
public final class RedisRowStore implements RowStore {
  private final RedisConnection connection;
  private final RedisFailures failures;
  private final RedisBreakers breakers = new RedisBreakers();
  private final RedisMarks marks;
  private final RedisSigns signs;
  private final RedisCommits commits;

  /** Open to the package, so that a test can cut a drop short. */
  final RedisDrops drops;

  private final String prefix;

  private RedisRowStore(RedisConnection connection) {
    this.connection = connection;
    this.prefix = connection.settings().prefix();
    this.failures = new RedisFailures(connection);
    this.marks = new RedisMarks(connection, RedisKeys.bundles(prefix));
    this.signs = new RedisSigns(connection);
    this.commits = new RedisCommits(connection, prefix);
    this.drops = new RedisDrops(connection, marks, signs);
  }

  /**
   * Connects to the cluster.
   *
   * @throws StoreException if it cannot be reached
   */
  public static RedisRowStore open(RedisSettings settings) {
    return new RedisRowStore(new RedisConnection(settings));
  }

  private RedisKeys keys(RowsView view) {
    return new RedisKeys(prefix, view);
  }

  @Override
  public boolean durable() {
    return true;
  }

  @Override
  public RowReader reader(RowsView view) {
    connection.requireOpen();
    RedisKeys keys = keys(view);
    return new RedisReader(
        connection, failures, view, keys, signs.expected(view, keys), breakers.of(view));
  }

  @Override
  public long version(RowsView view) {
    return marks.version(keys(view));
  }

  @Override
  public void apply(RowCommit commit) {
    begin(commit.view());
    commits.apply(commit);
  }

  @Override
  public BulkRows bulk(RowsView view, String digest, RowSample sample) {
    RedisKeys keys = keys(view);
    OptionalLong after =
        marks.mark(keys).map(mark -> mark.after(digest)).orElse(OptionalLong.empty());
    RedisSigns.Standing signed = signs.standing(keys);
    if (after.isEmpty() || !signed.whole()) {
      if (!signed.none()) {
        marks.add(view); // Or the drop would not find it, where the list has been lost.
      }
      drop(view);
      marks.add(view);
      signs.begin(keys);
      after = OptionalLong.empty();
      // So that another process that loads the same goes on here, instead of dropping it.
      marks.put(keys, ImportMark.partly(digest, BulkRows.NOTHING));
    }
    return new RedisBulk(
        connection, marks, signs, keys, view, digest, after.orElse(BulkRows.NOTHING));
  }

  @Override
  public void markImported(RowsView view, String digest) {
    begin(view);
    marks.put(keys(view), ImportMark.complete(digest));
  }

  /**
   * Lists a bundle, and signs it if it has nothing yet. What was signed once is never signed again,
   * even where the list has been lost: that would call lost rows absent.
   */
  private void begin(RowsView view) {
    if (!marks.has(view)) {
      RedisKeys keys = keys(view);
      if (signs.standing(keys).none()) {
        signs.begin(keys);
        signs.finish(keys);
      }
      marks.add(view);
    }
  }

  /**
   * Not where a node has lost what it had: then all must come again, and changes since are lost. A
   * bundle without any sign is one from before there were signs.
   */
  @Override
  public Optional<String> imported(RowsView view) {
    RedisKeys keys = keys(view);
    Optional<String> complete = marks.mark(keys).flatMap(ImportMark::complete);
    if (complete.isEmpty()) {
      return complete;
    }
    RedisSigns.Standing signed = signs.standing(keys);
    return signed.complete() || signed.none() ? complete : Optional.empty();
  }

  @Override
  public Set<RowsView> stored() {
    return marks.stored();
  }

  @Override
  public void drop(RowsView view) {
    drops.drop(view, keys(view));
    signs.forget(view);
    breakers.forget(view);
  }

  @Override
  public void close() {
    connection.close();
  }
}
