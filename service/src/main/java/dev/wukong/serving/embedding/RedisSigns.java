package dev.wukong.serving.embedding;

import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
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
   * A shard is signed with COMING and the filling's name before its first row, and with THERE after
   * the last one of the bundle. Only a shard that has the first gets the second: one that lost it
   * has lost rows. It gets none again before all are dropped.
   */

  private static final System.Logger log = System.getLogger(RedisSigns.class.getName());
  private static final String COMING = "0";
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
   * @param other whose rows are on their way in another filling
   */
  record Standing(int there, int coming, int other) {
    /** Whether nothing is known of the bundle: it was never here, or before there were signs. */
    boolean none() {
      return there + coming + other == 0;
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

  /** The sign of shards whose rows are on their way in {@code filling}. */
  static byte[] coming(String filling) {
    return RedisKeys.ascii(COMING + filling);
  }

  /** How the shards of a bundle are signed that {@code filling} fills. */
  Standing standing(RedisKeys keys, String filling) {
    List<CompletionStage<byte[]>> calls = new ArrayList<>();
    for (int s = 0; s < RedisKeys.SHARDS; s++) {
      calls.add(connection.commands().get(keys.sign(s)));
    }
    byte[] own = coming(filling);
    int there = 0;
    int coming = 0;
    int other = 0;
    for (CompletionStage<byte[]> call : calls) {
      byte[] sign = connection.await(call, "looking for a shard's sign");
      if (isThere(sign)) {
        there++;
      } else if (Arrays.equals(own, sign)) {
        coming++;
      } else if (sign != null) {
        other++;
      }
    }
    return new Standing(there, coming, other);
  }

  /** Whether a sign says that the shard's rows are there. */
  static boolean isThere(byte @Nullable [] sign) {
    return Arrays.equals(THERE, sign);
  }

  /**
   * Says of a bundle that has nothing that its rows are on their way; false if another process has
   * signed it meanwhile.
   */
  boolean begin(RedisKeys keys, String filling) {
    put(keys, coming(filling));
    return standing(keys, filling).coming() == RedisKeys.SHARDS;
  }

  /** Says of a bundle that has nothing that this is all; signs that are there stay. */
  void sign(RedisKeys keys) {
    put(keys, THERE);
  }

  private void put(RedisKeys keys, byte[] sign) {
    List<CompletionStage<String>> calls = new ArrayList<>();
    for (int s = 0; s < RedisKeys.SHARDS; s++) {
      calls.add(connection.commands().set(keys.sign(s), sign, SetArgs.Builder.nx()));
    }
    for (CompletionStage<String> call : calls) {
      // Without a value where there was a sign.
      boolean _ = connection.await(call.thenApply(Objects::nonNull), "signing a shard");
    }
  }

  /** Says that all rows of a filling are there; false if a shard has lost its sign meanwhile. */
  boolean finish(RedisKeys keys, String filling) {
    List<CompletionStage<Long>> calls = new ArrayList<>();
    for (int s = 0; s < RedisKeys.SHARDS; s++) {
      calls.add(
          connection.run(
              RedisBundleScripts.SIGN,
              ScriptOutputType.INTEGER,
              new byte[][] {keys.sign(s)},
              coming(filling),
              THERE));
    }
    long signed = 0;
    for (CompletionStage<Long> call : calls) {
      signed += connection.await(call, "signing a shard");
    }
    return signed == RedisKeys.SHARDS;
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
      boolean signed = !standing(keys, "").none();
      if (signed) {
        known.add(bundle);
      }
      return signed;
    } catch (StoreException e) {
      log.log(Level.DEBUG, "whether the rows are signed is not known", e);
      return true; // A node is down, and so something was there.
    }
  }

  /** Whether this process has seen the bundle of {@code view} signed, and not dropped it since. */
  boolean isKnown(RowsView view) {
    return known.contains(view.imported());
  }

  /** Says that the bundle of {@code view} is no more. */
  void forget(RowsView view) {
    known.remove(view.imported());
  }
}
