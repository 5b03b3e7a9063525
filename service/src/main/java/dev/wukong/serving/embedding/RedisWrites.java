package dev.wukong.serving.embedding;

import io.lettuce.core.ScriptOutputType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Sends a script the rows of a bundle, some of one shard at a time, with a bounded number of calls
 * under way. One thread.
 */
final class RedisWrites {
  /** A node does nothing else during one call, so that it must be short. */
  private static final int MOST_ROWS = 256;

  private static final int MOST_BYTES = 256 << 10;

  /** Calls under way, of all shards together. */
  private static final int MOST_CALLS = 64;

  private static final byte[] NOTHING = {};

  /** Rows of one shard that have not been sent. */
  private static final class Waiting {
    final List<byte[]> keys = new ArrayList<>();
    final List<byte[]> arguments = new ArrayList<>();
    int bytes;
  }

  private final RedisConnection connection;
  private final RedisKeys keys;
  private final RedisScript script;
  private final byte[] version;

  /** Whether the script's first key is the shard's sign. */
  private final boolean signed;

  /** The script's second argument, if it takes one besides those of rows. */
  private final Optional<byte[]> second;

  private final String doing;
  private final Waiting[] shards = new Waiting[RedisKeys.SHARDS];
  private final Deque<CompletionStage<Long>> calls = new ArrayDeque<>();
  private long sum;

  /**
   * Nothing yet.
   *
   * @param version the script's first argument
   * @param doing for errors
   */
  RedisWrites(
      RedisConnection connection, RedisKeys keys, RedisScript script, long version, String doing) {
    this(connection, keys, script, version, false, Optional.empty(), doing);
  }

  /** The same for a script with a second argument before those of rows. */
  RedisWrites(
      RedisConnection connection,
      RedisKeys keys,
      RedisScript script,
      long version,
      Optional<byte[]> second,
      String doing) {
    this(connection, keys, script, version, false, second, doing);
  }

  /** Writes rows as they are imported where each shard's sign is {@code sign}. */
  static RedisWrites signed(
      RedisConnection connection, RedisKeys keys, long version, byte[] sign, String doing) {
    return new RedisWrites(
        connection, keys, RedisScripts.FILL, version, true, Optional.of(sign.clone()), doing);
  }

  private RedisWrites(
      RedisConnection connection,
      RedisKeys keys,
      RedisScript script,
      long version,
      boolean signed,
      Optional<byte[]> second,
      String doing) {
    this.signed = signed;
    this.second = second;
    this.connection = connection;
    this.keys = keys;
    this.script = script;
    this.version = RedisKeys.ascii(Long.toString(version));
    this.doing = doing;
    for (int s = 0; s < shards.length; s++) {
      shards[s] = new Waiting();
    }
  }

  /** Adds a row for which the script needs no argument. */
  void add(long rowKey) {
    add(rowKey, NOTHING);
  }

  /**
   * Adds a row.
   *
   * @param argument the script's, empty for none
   * @throws StoreException if a call failed
   */
  void add(long rowKey, byte[] argument) {
    int shard = RedisKeys.shard(rowKey);
    Waiting waiting = shards[shard];
    byte[] key = keys.row(shard, rowKey);
    waiting.keys.add(key);
    if (argument.length > 0) {
      waiting.arguments.add(argument);
    }
    waiting.bytes += key.length + argument.length;
    if (waiting.keys.size() >= MOST_ROWS || waiting.bytes >= MOST_BYTES) {
      send(shard);
    }
  }

  private void send(int shard) {
    Waiting waiting = shards[shard];
    if (waiting.keys.isEmpty()) {
      return;
    }
    shards[shard] = new Waiting();
    if (signed) {
      waiting.keys.addFirst(keys.sign(shard));
    }
    second.ifPresent(waiting.arguments::addFirst);
    waiting.arguments.addFirst(version);
    calls.add(
        connection.run(
            script,
            ScriptOutputType.INTEGER,
            waiting.keys.toArray(byte[][]::new),
            waiting.arguments.toArray(byte[][]::new)));
    if (calls.size() >= MOST_CALLS) {
      awaitFirst();
    }
  }

  private void awaitFirst() {
    sum += connection.await(calls.remove(), doing);
  }

  /**
   * Sends what was added and waits for all of it.
   *
   * @return the sum of what the script has given since the last time
   * @throws StoreException if a call failed
   */
  long finish() {
    for (int s = 0; s < shards.length; s++) {
      send(s);
    }
    while (!calls.isEmpty()) {
      awaitFirst();
    }
    long all = sum;
    sum = 0;
    return all;
  }
}
