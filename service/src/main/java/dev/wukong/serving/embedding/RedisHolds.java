package dev.wukong.serving.embedding;

import io.lettuce.core.ScriptOutputType;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tells the other processes which bundles this one uses, so that none of them drops those. It says
 * so again from time to time: what a process used that has ended without a word is free after a
 * while. Any thread; but for {@link #hold} nothing here fails where the cluster does.
 */
final class RedisHolds {
  private static final System.Logger log = System.getLogger(RedisHolds.class.getName());

  /** Says it so many times while it holds. */
  private static final int TIMES = 10;

  private final RedisConnection connection;
  private final byte[] token;
  private final byte[] length;

  /** By the bundle, with the version 0. */
  private final Map<RowsView, RedisKeys> held = new ConcurrentHashMap<>();

  /**
   * Holds nothing yet.
   *
   * @param token that no other process has
   */
  RedisHolds(RedisConnection connection, String token, Duration length) {
    this.connection = connection;
    this.token = RedisKeys.ascii(token);
    this.length = RedisKeys.ascii(Long.toString(length.toMillis()));
    connection.every(length.dividedBy(TIMES), () -> held.forEach(this::sayAgain));
  }

  /**
   * Holds a bundle from now on.
   *
   * @throws StoreException if the others cannot be told
   */
  void hold(RowsView view, RedisKeys keys) {
    if (!held.containsKey(view.imported())) {
      await(say(keys, RedisBundleScripts.HOLD));
      held.put(view.imported(), keys);
    }
  }

  /** The same where it is of no use to fail: others are told the next time. */
  void holdAnyhow(RowsView view, RedisKeys keys) {
    if (held.put(view.imported(), keys) == null) {
      awaitAnyhow(say(keys, RedisBundleScripts.HOLD));
    }
  }

  private void sayAgain(RowsView bundle, RedisKeys keys) {
    if (held.containsKey(bundle)) { // Who has let go of it meanwhile has said so.
      CompletionStage<?> _ = say(keys, RedisBundleScripts.HOLD);
    }
  }

  /** Does not hold a bundle any more. */
  void letGo(RowsView view, RedisKeys keys) {
    forget(view);
    awaitAnyhow(say(keys, RedisBundleScripts.LET_GO));
  }

  /** The same, where the cluster has been told. */
  void forget(RowsView view) {
    held.remove(view.imported());
  }

  /** Does not hold anything any more. */
  void letGoOfAll() {
    List<CompletableFuture<?>> said = new ArrayList<>();
    held.values()
        .forEach(keys -> said.add(say(keys, RedisBundleScripts.LET_GO).toCompletableFuture()));
    held.clear();
    awaitAnyhow(CompletableFuture.allOf(said.toArray(CompletableFuture<?>[]::new)));
  }

  private CompletionStage<?> say(RedisKeys keys, RedisScript script) {
    return connection.<Long>run(
        script, ScriptOutputType.INTEGER, new byte[][] {keys.users()}, token, length);
  }

  private void await(CompletionStage<?> said) {
    Object _ = connection.await(said.thenApply(_ -> token), "saying which bundles are in use");
  }

  private void awaitAnyhow(CompletionStage<?> said) {
    try {
      await(said);
    } catch (StoreException e) {
      log.log(Level.DEBUG, "others are told again", e);
    }
  }
}
