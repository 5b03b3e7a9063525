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
  private final RedisCommits commits;

  /** Open to the package, so that a test can cut a drop short. */
  final RedisDrops drops;

  private final String prefix;

  private RedisRowStore(RedisConnection connection) {
    this.connection = connection;
    this.prefix = connection.settings().prefix();
    this.failures = new RedisFailures(connection);
    this.marks = new RedisMarks(connection, RedisKeys.bundles(prefix));
    this.commits = new RedisCommits(connection, marks, prefix);
    this.drops = new RedisDrops(connection, marks);
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
    return new RedisReader(connection, failures, view, keys(view), breakers.of(view));
  }

  @Override
  public long version(RowsView view) {
    return marks.version(keys(view));
  }

  @Override
  public void apply(RowCommit commit) {
    commits.apply(commit);
  }

  @Override
  public BulkRows bulk(RowsView view, String digest) {
    RedisKeys keys = keys(view);
    OptionalLong after =
        marks.mark(keys).map(mark -> mark.after(digest)).orElse(OptionalLong.empty());
    if (after.isEmpty()) {
      drop(view);
      marks.add(view);
      // So that another process that loads the same goes on here, instead of dropping it.
      marks.put(keys, ImportMark.partly(digest, BulkRows.NOTHING));
    }
    return new RedisBulk(connection, marks, keys, view, digest, after.orElse(BulkRows.NOTHING));
  }

  @Override
  public void markImported(RowsView view, String digest) {
    marks.add(view);
    marks.put(keys(view), ImportMark.complete(digest));
  }

  @Override
  public Optional<String> imported(RowsView view) {
    return marks.mark(keys(view)).flatMap(ImportMark::complete);
  }

  @Override
  public Set<RowsView> stored() {
    return marks.stored();
  }

  @Override
  public void drop(RowsView view) {
    drops.drop(view, keys(view));
    breakers.forget(view);
  }

  @Override
  public void close() {
    connection.close();
  }
}
