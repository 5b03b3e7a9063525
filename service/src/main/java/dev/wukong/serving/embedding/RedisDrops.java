package dev.wukong.serving.embedding;

import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import java.util.List;

/** Removes a bundle from a Redis cluster. Any thread; all throw {@link StoreException}. */
record RedisDrops(RedisConnection connection, RedisMarks marks, RedisSigns signs) {
  /*
   * Signs go first, so that who still reads takes no row for absent; then marks, so that a bundle
   * whose drop was cut short counts as not imported; the bundle leaves the list last, so that it is known to have something until it has nothing.
   */

  /** Keys that a node looks at in one call. */
  private static final int LOOK = 1000;

  /** Looks at all masters, each of which another one may have joined meanwhile. */
  private static final int TRIES = 5;

  /** Removes a bundle's rows, its signs and its marks, if it is on the list. */
  void drop(RowsView view, RedisKeys keys) {
    if (!marks.has(view)) {
      return;
    }
    hide(keys);
    removeRows(keys);
    marks.remove(view);
    connection.replicate();
  }

  /** The first step. */
  void hide(RedisKeys keys) {
    signs.remove(keys);
    long _ =
        connection.await(
            connection.commands().del(keys.mark(), keys.version(), keys.intent()),
            "removing a bundle's marks");
  }

  private void removeRows(RedisKeys keys) {
    connection.refresh();
    for (int t = 0; t < TRIES; t++) {
      List<String> before = masters();
      for (RedisClusterNode master : connection.masters()) {
        removeRows(master, keys);
      }
      connection.refresh();
      // A node that became a master on the way has not been asked.
      if (masters().equals(before)) {
        return;
      }
    }
    throw new StoreException(
        "dropping rows failed: the cluster's masters changed %d times".formatted(TRIES), null);
  }

  private List<String> masters() {
    return connection.masters().stream()
        .map(master -> master.getNodeId() + " " + master.getSlots().hashCode())
        .toList();
  }

  private void removeRows(RedisClusterNode master, RedisKeys keys) {
    RedisAsyncCommands<byte[], byte[]> node =
        connection.await(connection.node(master), "connecting to a node");
    ScanArgs pattern = ScanArgs.Builder.matches(keys.rows()).limit(LOOK);
    ScanCursor cursor = ScanCursor.INITIAL;
    while (!cursor.isFinished()) {
      connection.requireOpen();
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
