package dev.wukong.serving.embedding;

import io.lettuce.core.RedisException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Rows that were written to a cluster since all before were known to be on it. Where a node fails,
 * or another one has become the master meanwhile, all of them are written again: what a master took
 * that no replica had is lost with it. One thread.
 */
final class RedisWindow {
  /** The most that is written again. */
  private static final int MOST_ROWS = 1 << 16;

  private static final int MOST_BYTES = 16 << 20;

  private record Row(long key, byte[] part) {}

  private final RedisConnection connection;
  private final RedisPatience patience;
  private final Supplier<RedisWrites> begin;
  private final List<Row> rows = new ArrayList<>();
  private int bytes;
  private RedisWrites writes;

  /** Who were masters before the first row was written that no replica may have. */
  private List<String> masters = List.of();

  /** Whether all rows must be written again. */
  private boolean broken;

  /** Whether replicas have what was written before these rows. */
  private boolean copied = true;

  /**
   * No rows yet.
   *
   * @param begin makes what writes them, each time they are written
   */
  RedisWindow(RedisConnection connection, RedisPatience patience, Supplier<RedisWrites> begin) {
    this.connection = connection;
    this.patience = patience;
    this.begin = begin;
    this.writes = begin.get();
  }

  /**
   * Adds a row. Where a node is down, that shows in {@link #settle}.
   *
   * @throws StoreException if a call was refused
   */
  void add(long key, byte[] part) {
    connection.requireOpen();
    rows.add(new Row(key, part));
    bytes += part.length;
    if (broken) {
      return;
    }
    try {
      if (masters.isEmpty()) {
        masters = connection.masterNames();
      }
      writes.add(key, part);
    } catch (StoreException e) {
      if (!RedisPatience.passes(e)) {
        throw e;
      }
      broken = true;
    }
  }

  /** Whether it is time to {@link #settle}. */
  boolean full() {
    return rows.size() >= MOST_ROWS || bytes >= MOST_BYTES;
  }

  /**
   * Waits until all rows are written, and for a while until replicas have them; then forgets them.
   *
   * @return how many were refused
   * @throws StoreException if a node has failed and nobody takes over, or has taken rows along that
   *     are forgotten here
   */
  long settle() {
    if (rows.isEmpty()) {
      return 0;
    }
    long refused = patience.outlast(this::trySettle);
    rows.clear();
    bytes = 0;
    return refused;
  }

  /** Whether replicas have all that was settled, so that a failure now loses nothing. */
  boolean copied() {
    return copied;
  }

  private long trySettle() {
    if (broken) {
      connection.refresh();
      List<String> now = connection.masterNames();
      if (!copied && !now.equals(masters)) {
        throw new StoreException(
            "a master has failed whose replica had not all rows; load the bundle again", null);
      }
      masters = now;
      writes = begin.get();
      rows.forEach(row -> writes.add(row.key(), row.part()));
    }
    broken = true;
    long refused = writes.finish();
    boolean replicated = connection.replicate();
    connection.refresh();
    if (!connection.masterNames().equals(masters)) {
      throw new StoreException(
          "masters were replaced while rows were written", new RedisException("new masters"));
    }
    broken = false;
    copied = replicated;
    return refused;
  }
}
