package dev.wukong.serving.embedding;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;

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
  private final RedisTimes times;

  /** The name of this process; no other one has it. */
  private final String process = UUID.randomUUID().toString();

  /** Names that nobody has, in any process. */
  private final Supplier<String> names;

  private final RedisLoads loads;
  private final RedisHolds holds;

  private RedisRowStore(RedisConnection connection, RedisTimes times) {
    AtomicLong count = new AtomicLong();
    this.connection = connection;
    this.times = times;
    this.names = () -> process + "." + count.incrementAndGet();
    this.prefix = connection.settings().prefix();
    this.failures = new RedisFailures(connection);
    this.marks = new RedisMarks(connection, RedisKeys.bundles(prefix));
    this.signs = new RedisSigns(connection);
    this.commits = new RedisCommits(connection, prefix, times.removed());
    this.drops = new RedisDrops(connection, marks, signs);
    this.loads = new RedisLoads(connection, times, marks, signs, drops, this.names);
    this.holds = new RedisHolds(connection, process, times.held());
  }

  /**
   * Connects to the cluster.
   *
   * @throws StoreException if it cannot be reached
   */
  public static RedisRowStore open(RedisSettings settings) {
    return open(settings, RedisTimes.ordinary());
  }

  /** The same where other things last longer, or not as long. */
  static RedisRowStore open(RedisSettings settings, RedisTimes times) {
    return new RedisRowStore(new RedisConnection(settings, times), times);
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
    boolean signed = signs.expected(view, keys);
    if (signed) { // Of what is all in memory there is nothing here, and nobody lets go of it.
      holds.holdAnyhow(view, keys);
    }
    return new RedisReader(connection, failures, view, keys, signed, breakers.of(view));
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
    hold(view, keys);
    return loads.begin(view, keys, digest);
  }

  @Override
  public void markImported(RowsView view, String digest) {
    begin(view);
    marks.put(keys(view), ImportMark.complete(digest));
  }

  /** What is said of a model whose rows one process writes for others. */
  RedisMirror mirror(String model) {
    return new RedisMirror(connection, model);
  }

  /** See {@link RedisCommits#install}. */
  boolean install(RowCommit commit) {
    return commits.install(commit);
  }

  /** See {@link RedisCommits#fade}. */
  void fade(RowCommit commit) {
    commits.fade(commit);
  }

  /** See {@link RedisConnection#masterNames}. */
  List<String> masterNames() {
    return connection.masterNames();
  }

  /**
   * Lists a bundle, and signs it if it has nothing yet. What was signed once is never signed again,
   * even where the list has been lost, or all nodes have lost all: that would call lost rows
   * absent.
   */
  private void begin(RowsView view) {
    if (!marks.has(view)) {
      RedisKeys keys = keys(view);
      if (!signs.isKnown(view) && signs.standing(keys, "").none()) {
        signs.sign(keys);
      }
      marks.add(view);
    }
  }

  /** Holds what it finds, as who asks is about to use it. */
  @Override
  public Optional<String> imported(RowsView view) {
    RedisKeys keys = keys(view);
    Optional<String> digest = loads.imported(keys);
    if (digest.isEmpty()) {
      return digest;
    }
    hold(view, keys);
    return loads.imported(keys); // What was there before it was held may have been dropped.
  }

  @Override
  public Set<RowsView> stored() {
    return marks.stored();
  }

  /** Before it is used, the others must know. */
  private void hold(RowsView view, RedisKeys keys) {
    boolean _ =
        times
            .patience()
            .outlast(
                () -> {
                  holds.hold(view, keys);
                  return true;
                });
  }

  @Override
  public void drop(RowsView view) {
    RedisKeys keys = keys(view);
    boolean _ =
        drop(
            view,
            keys,
            token -> {
              try (RedisLock lock = RedisLock.take(connection, keys, token, times)) {
                drops.drop(view, keys, lock, process);
                return true;
              }
            });
  }

  @Override
  public boolean dropUnused(RowsView view) {
    RedisKeys keys = keys(view);
    return drop(
        view,
        keys,
        token -> {
          // Another process that has it drops the bundle, or is about to use it.
          Optional<RedisLock> free = RedisLock.tryTake(connection, keys, token, times);
          if (free.isEmpty()) {
            return false;
          }
          try (RedisLock lock = free.get()) {
            return drops.dropUnused(view, keys, lock, process);
          }
        });
  }

  /**
   * Removes a bundle while nobody else begins to load it; whether it is gone.
   *
   * @param removal takes the token of a lock, the same for all tries: none waits for the one before
   */
  private boolean drop(RowsView view, RedisKeys keys, Predicate<String> removal) {
    String token = names.get();
    holds.letGo(view, keys);
    boolean gone = times.patience().outlast(() -> !marks.has(view) || removal.test(token));
    if (gone) {
      forget(view);
    }
    return gone;
  }

  private void forget(RowsView view) {
    signs.forget(view);
    breakers.forget(view);
  }

  @Override
  public void close() {
    holds.letGoOfAll();
    connection.close();
  }
}
