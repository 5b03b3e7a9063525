package dev.wukong.serving.embedding;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A key in each shard of a bundle that says that its rows are there. A node that comes back without
 * what it had, as one does that keeps nothing on its disk and has no replica, would else answer
 * that the rows never were. Any thread; all but {@link #expected} and {@link #forget} throw {@link
 * StoreException}.
 */
final class RedisSigns {
  private static final System.Logger log = System.getLogger(RedisSigns.class.getName());
  private static final byte[] THERE = {'1'};

  private final RedisConnection connection;

  /** Bundles that are known to be signed, each with the version 0. */
  private final Set<RowsView> known = ConcurrentHashMap.newKeySet();

  RedisSigns(RedisConnection connection) {
    this.connection = connection;
  }

  /** Signs every shard of a bundle that has nothing yet. */
  void put(RedisKeys keys) {
    List<CompletionStage<String>> calls = new ArrayList<>();
    for (int s = 0; s < RedisKeys.SHARDS; s++) {
      calls.add(connection.commands().set(keys.sign(s), THERE));
    }
    for (CompletionStage<String> call : calls) {
      String _ = connection.await(call, "signing a shard");
    }
  }

  /** Whether every shard is signed. */
  boolean all(RedisKeys keys) {
    return count(keys) == RedisKeys.SHARDS;
  }

  /** Whether no shard is. */
  boolean none(RedisKeys keys) {
    return count(keys) == 0;
  }

  private long count(RedisKeys keys) {
    List<CompletionStage<Long>> calls = new ArrayList<>();
    for (int s = 0; s < RedisKeys.SHARDS; s++) {
      calls.add(connection.commands().exists(keys.sign(s)));
    }
    long there = 0;
    for (CompletionStage<Long> call : calls) {
      there += connection.await(call, "looking for a shard's sign");
    }
    return there;
  }

  /** Whether a shard without its sign has lost it; also where nobody can say. */
  boolean expected(RowsView view, RedisKeys keys) {
    RowsView bundle = view.imported();
    if (known.contains(bundle)) {
      return true;
    }
    try {
      boolean signed = !none(keys);
      if (signed) {
        known.add(bundle);
      }
      return signed;
    } catch (StoreException e) {
      log.log(Level.DEBUG, "whether the rows are signed is not known", e);
      return true; // A node is down, and so something was there.
    }
  }

  /** Says that the bundle of {@code view} is no more. */
  void forget(RowsView view) {
    known.remove(view.imported());
  }
}
