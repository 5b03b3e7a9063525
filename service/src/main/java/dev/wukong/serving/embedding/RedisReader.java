package dev.wukong.serving.embedding;

import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisFuture;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a bundle's rows from a Redis cluster: one call a shard, all at once. Rows of shards that
 * fail or take too long are unread; those of shards that have failed some times in a row are not
 * asked for, but for a try now and then. What a shard without its sign does not have is unread,
 * too.
 */
final class RedisReader implements RowReader {
  private final RedisConnection connection;
  private final RedisFailures failures;
  private final RowsView view;
  private final RedisKeys keys;
  private final boolean signed;
  private final StoreBreaker[] breakers;

  /**
   * A reader of rows at {@code view}.
   *
   * @param signed whether each shard has its sign, unless it has lost its rows
   * @param breakers by shard
   */
  RedisReader(
      RedisConnection connection,
      RedisFailures failures,
      RowsView view,
      RedisKeys keys,
      boolean signed,
      StoreBreaker[] breakers) {
    this.connection = connection;
    this.failures = failures;
    this.view = view;
    this.keys = keys;
    this.signed = signed;
    this.breakers = breakers;
  }

  @Override
  public void read(int width, long[] rowKeys, int count, float[] rows, RowFate[] fates) {
    connection.requireOpen();
    int[] shards = new int[count];
    int[] sizes = new int[RedisKeys.SHARDS];
    for (int i = 0; i < count; i++) {
      shards[i] = RedisKeys.shard(rowKeys[i]);
      sizes[shards[i]]++;
    }
    int[][] wanted = new int[RedisKeys.SHARDS][];
    for (int s = 0; s < sizes.length; s++) {
      wanted[s] = new int[sizes[s]];
    }
    for (int i = count - 1; i >= 0; i--) {
      wanted[shards[i]][--sizes[shards[i]]] = i;
    }
    long until = System.nanoTime() + connection.settings().timeout().toNanos();
    Call[] calls = new Call[RedisKeys.SHARDS];
    for (int s = 0; s < wanted.length; s++) {
      calls[s] = send(s, wanted[s], rowKeys);
    }
    int unread = 0;
    @Nullable Throwable failure = null;
    for (int s = 0; s < wanted.length; s++) {
      @Nullable List<KeyValue<byte[], byte[]>> values = null;
      try {
        values = await(s, calls[s], until);
      } catch (ExecutionException | TimeoutException e) {
        failure = e;
      }
      if (values == null) {
        unread += wanted[s].length;
        Arrays.stream(wanted[s]).forEach(i -> fates[i] = RowFate.UNREAD);
      } else {
        int lost = take(values, wanted[s], rowKeys, width, rows, fates);
        if (lost > 0) {
          unread += lost;
          failure =
              new StoreException(
                  "a node has lost its rows, or they are on their way; load the bundle again",
                  null);
        }
      }
    }
    if (unread > 0) {
      failures.failed(unread, count, failure);
    }
  }

  /** Reads what a shard has given; how many rows it may have lost. */
  private int take(
      List<KeyValue<byte[], byte[]>> values,
      int[] wanted,
      long[] rowKeys,
      int width,
      float[] rows,
      RowFate[] fates) {
    KeyValue<byte[], byte[]> sign = values.getFirst();
    boolean there = !signed || (sign.hasValue() && RedisSigns.isThere(sign.getValue()));
    int lost = 0;
    for (int j = 0; j < wanted.length; j++) {
      int i = wanted[j];
      fates[i] = fate(rowKeys[i], values.get(1 + j), width, rows, i);
      if (!there && fates[i] == RowFate.ABSENT) {
        fates[i] = RowFate.UNREAD;
        lost++;
      }
    }
    return lost;
  }

  private RowFate fate(long key, KeyValue<byte[], byte[]> value, int width, float[] rows, int row) {
    return value.isEmpty()
        ? RowFate.ABSENT
        : RedisValue.decode(key, value.getValue(), view.version(), width, rows, row);
  }

  /** A shard's sign and values on their way; null where it was not asked. */
  private record Call(@Nullable RedisFuture<List<KeyValue<byte[], byte[]>>> values) {}

  private Call send(int shard, int[] wanted, long[] rowKeys) {
    if (wanted.length == 0 || !breakers[shard].allows()) {
      return new Call(null);
    }
    byte[][] asked = new byte[1 + wanted.length][];
    asked[0] = keys.sign(shard);
    for (int j = 0; j < wanted.length; j++) {
      asked[1 + j] = keys.row(shard, rowKeys[wanted[j]]);
    }
    return new Call(connection.commands().mget(asked));
  }

  /** A shard's sign and values; null where it was not asked. */
  private @Nullable List<KeyValue<byte[], byte[]>> await(int shard, Call call, long until)
      throws ExecutionException, TimeoutException {
    RedisFuture<List<KeyValue<byte[], byte[]>>> sent = call.values();
    if (sent == null) {
      return null;
    }
    boolean done = false;
    try {
      List<KeyValue<byte[], byte[]>> values =
          sent.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
      done = true;
      return values;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("reading rows was interrupted", e);
    } finally {
      if (done) {
        breakers[shard].succeeded();
        failures.answered();
      } else {
        breakers[shard].failed();
        boolean _ = sent.cancel(false);
      }
    }
  }

  /** Holds nothing: what it reads is told apart by its version. */
  @Override
  public void close() {}
}
