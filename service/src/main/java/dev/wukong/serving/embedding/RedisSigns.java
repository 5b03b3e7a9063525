package dev.wukong.serving.embedding;

import io.lettuce.core.SetArgs;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A key in each shard of a bundle that says whether its rows are there, or on their way. A node
 * that comes back without what it had, as one does that keeps nothing on its disk and has no
 * replica, would else answer that the rows never were. Any thread; all but {@link #expected} and
 * {@link #forget} throw {@link StoreException}.
 */
final class RedisSigns {
  /*
   * A shard is signed with COMING before its first row, and with THERE after the last one of the
   * bundle. Only a shard that has a sign gets the second: one that lost the first has lost rows. It
   * gets none again before all are dropped.
   */

  private static final System.Logger log = System.getLogger(RedisSigns.class.getName());
  private static final byte[] COMING = {'0'};
  private static final byte[] THERE = {'1'};

  private final RedisConnection connection;

  /** Bundles that are known to be signed, each with the version 0. */
  private final Set<RowsView> known = ConcurrentHashMap.newKeySet();

  RedisSigns(RedisConnection connection) {
    this.connection = connection;
  }

  /**
   * How many shards have a sign.
   *
   * @param there whose rows are there
   * @param coming whose rows are on their way
   */
  record Standing(int there, int coming) {
    /** Whether nothing is known of the bundle: it was never here, or before there were signs. */
    boolean none() {
      return there + coming == 0;
    }

    /** Whether all rows are there. */
    boolean complete() {
      return there == RedisKeys.SHARDS;
    }

    /** Whether no shard has lost what it had. */
    boolean whole() {
      return there + coming == RedisKeys.SHARDS;
    }
  }

  /** How the shards of a bundle are signed. */
  Standing standing(RedisKeys keys) {
    List<CompletionStage<byte[]>> calls = new ArrayList<>();
    for (int s = 0; s < RedisKeys.SHARDS; s++) {
      calls.add(connection.commands().get(keys.sign(s)));
    }
    int there = 0;
    int coming = 0;
    for (CompletionStage<byte[]> call : calls) {
      byte[] sign = connection.await(call, "looking for a shard's sign");
      there += isThere(sign) ? 1 : 0;
      coming += Arrays.equals(COMING, sign) ? 1 : 0;
    }
    return new Standing(there, coming);
  }

  /** Whether a sign says that the shard's rows are there. */
  static boolean isThere(byte @Nullable [] sign) {
    return Arrays.equals(THERE, sign);
  }

  /** Says of a bundle that has nothing that its rows are on their way. */
  void begin(RedisKeys keys) {
    put(keys, COMING, new SetArgs());
  }

  /**
   * Says that all rows are there.
   *
   * @throws StoreException if a shard has lost some since {@link #begin}
   */
  void finish(RedisKeys keys) {
    if (put(keys, THERE, SetArgs.Builder.xx()) < RedisKeys.SHARDS) {
      throw new StoreException(
          "a node has lost its rows while they were written; load the bundle again", null);
    }
  }

  /** Of how many shards it was put. */
  private int put(RedisKeys keys, byte[] sign, SetArgs how) {
    List<CompletionStage<String>> calls = new ArrayList<>();
    for (int s = 0; s < RedisKeys.SHARDS; s++) {
      calls.add(connection.commands().set(keys.sign(s), sign, how));
    }
    int done = 0;
    for (CompletionStage<String> call : calls) {
      @Nullable String said = connection.await(call, "signing a shard");
      done += said == null ? 0 : 1;
    }
    return done;
  }

  /** Takes all signs away. */
  void remove(RedisKeys keys) {
    byte[][] signs = new byte[RedisKeys.SHARDS][];
    for (int s = 0; s < RedisKeys.SHARDS; s++) {
      signs[s] = keys.sign(s);
    }
    long _ = connection.await(connection.commands().del(signs), "removing a bundle's signs");
  }

  /** Whether a shard without its sign has lost it; also where nobody can say. */
  boolean expected(RowsView view, RedisKeys keys) {
    RowsView bundle = view.imported();
    if (known.contains(bundle)) {
      return true;
    }
    try {
      boolean signed = !standing(keys).none();
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
