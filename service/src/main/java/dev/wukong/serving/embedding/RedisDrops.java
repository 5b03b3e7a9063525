package dev.wukong.serving.embedding;

import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.RedisException;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import java.util.List;

/** Removes a bundle from a Redis cluster. Any thread; all throw {@link StoreException}. */
record RedisDrops(RedisConnection connection, RedisMarks marks, RedisSigns signs) {
  /*
   * Marks go first, so that a bundle whose drop was cut short counts as not imported: without signs
   * it would be taken for one from before there were any. Then signs, so that who still reads takes
   * no row for absent. The bundle leaves the list last, so that it is known to have something until
   * it has nothing.
   */

  /** Keys that a node looks at in one call. */
  private static final int LOOK = 1000;

  /** No process has this name. */
  static final String NOBODY = "";

  private static final byte[] ANYHOW = {'0'};
  private static final byte[] UNUSED = {'1'};

  /**
   * Removes a bundle's rows, its signs and its marks, if it is on the list.
   *
   * @param user a process that does not use it any more
   */
  void drop(RowsView view, RedisKeys keys, RedisLock lock, String user) {
    if (marks.has(view)) {
      hide(keys, user);
      remove(view, keys, lock);
    }
  }

  /** The same unless another process than that of {@code user} uses it; whether it is gone. */
  boolean dropUnused(RowsView view, RedisKeys keys, RedisLock lock, String user) {
    if (!marks.has(view)) {
      return true;
    }
    // Marks first, in one step with the look for users: who finds a mark from now on is none.
    if (!hide(keys, user, UNUSED)) {
      return false;
    }
    signs.remove(keys);
    remove(view, keys, lock);
    return true;
  }

  /** The first step. */
  void hide(RedisKeys keys, String user) {
    boolean _ = hide(keys, user, ANYHOW);
    signs.remove(keys);
  }

  private boolean hide(RedisKeys keys, String user, byte[] how) {
    long hidden =
        connection.await(
            connection.<Long>run(
                RedisBundleScripts.HIDE,
                ScriptOutputType.INTEGER,
                new byte[][] {
                  keys.users(), keys.mark(), keys.version(), keys.intent(), keys.filling()
                },
                RedisKeys.ascii(user),
                how),
            "removing a bundle's marks");
    return hidden == 1;
  }

  private void remove(RowsView view, RedisKeys keys, RedisLock lock) {
    removeRows(keys, lock);
    lock.require();
    marks.remove(view);
    boolean _ = connection.replicate();
  }

  /** Removes rows from all masters; fails where one was replaced by a replica on the way. */
  private void removeRows(RedisKeys keys, RedisLock lock) {
    connection.refresh();
    List<String> before = connection.masterNames();
    for (RedisClusterNode master : connection.masters()) {
      removeRows(master, keys, lock);
    }
    // What a replica has not removed comes back with it.
    boolean _ = connection.replicate();
    connection.refresh();
    if (!connection.masterNames().equals(before)) {
      throw new StoreException(
          "masters were replaced while rows were dropped", new RedisException("new masters"));
    }
  }

  private void removeRows(RedisClusterNode master, RedisKeys keys, RedisLock lock) {
    RedisAsyncCommands<byte[], byte[]> node =
        connection.await(connection.node(master), "connecting to a node");
    ScanArgs pattern = ScanArgs.Builder.matches(keys.rows()).limit(LOOK);
    ScanCursor cursor = ScanCursor.INITIAL;
    while (!cursor.isFinished()) {
      connection.requireOpen();
      lock.keep();
      KeyScanCursor<byte[]> found =
          connection.await(node.scan(cursor, pattern), "looking for a bundle's rows");
      if (!found.getKeys().isEmpty()) {
        long _ =
            connection.await(
                connection.commands().unlink(found.getKeys().toArray(byte[][]::new)),
                "removing a bundle's rows");
      }
      cursor = found;
    }
  }
}
