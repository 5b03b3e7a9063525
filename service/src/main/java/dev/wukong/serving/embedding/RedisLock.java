package dev.wukong.serving.embedding;

import io.lettuce.core.ScriptOutputType;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;

/**
 * One process at a time begins to fill a bundle, or drops it. Who says nothing for a while loses
 * the lock: a filling that was begun anew takes no rows of the one before. But a process that stood
 * still for so long in the middle of a drop may, when it goes on, remove some rows of the other's
 * before it asks again. One thread.
 */
final class RedisLock implements AutoCloseable {
  private static final System.Logger log = System.getLogger(RedisLock.class.getName());

  private final RedisConnection connection;
  private final byte[] key;
  private final byte[] token;
  private final Duration length;
  private long said = System.nanoTime();

  private RedisLock(RedisConnection connection, byte[] key, byte[] token, Duration length) {
    this.connection = connection;
    this.key = key;
    this.token = token;
    this.length = length;
  }

  /**
   * Takes the lock of a bundle, if nobody has it.
   *
   * @param token that no other lock has
   */
  static Optional<RedisLock> tryTake(
      RedisConnection connection, RedisKeys keys, String token, RedisTimes times) {
    RedisLock lock = new RedisLock(connection, keys.lock(), RedisKeys.ascii(token), times.locked());
    return lock.run(RedisBundleScripts.LOCK) ? Optional.of(lock) : Optional.empty();
  }

  /**
   * Takes the lock of a bundle, waiting until others have given it back.
   *
   * @param token that no other lock has
   * @throws StoreException if the cluster fails, or others keep it for long
   */
  static RedisLock take(
      RedisConnection connection, RedisKeys keys, String token, RedisTimes times) {
    RedisLock lock = new RedisLock(connection, keys.lock(), RedisKeys.ascii(token), times.locked());
    RedisPatience patience = times.patience();
    long until = patience.clock().getAsLong() + patience.most().toNanos();
    while (!patience.outlast(() -> lock.run(RedisBundleScripts.LOCK))) {
      if (patience.clock().getAsLong() - until >= 0) {
        throw new StoreException("another process begins to load this bundle, or drops it", null);
      }
      patience.rest();
    }
    return lock;
  }

  /**
   * Says that this is still under way.
   *
   * @throws StoreException if others may have taken the lock
   */
  void keep() {
    if (System.nanoTime() - said > length.dividedBy(4).toNanos()) {
      require();
    }
  }

  /**
   * The same, and asks.
   *
   * @throws StoreException if others may have taken the lock
   */
  void require() {
    if (!run(RedisBundleScripts.KEEP)) {
      throw new StoreException("another process has taken this bundle over meanwhile", null);
    }
    said = System.nanoTime();
  }

  private boolean run(RedisScript script) {
    long done =
        connection.await(
            connection.<Long>run(
                script,
                ScriptOutputType.INTEGER,
                new byte[][] {key},
                token,
                RedisKeys.ascii(Long.toString(length.toMillis()))),
            "locking a bundle");
    return done == 1;
  }

  @Override
  public void close() {
    try {
      boolean _ = run(RedisBundleScripts.UNLOCK);
    } catch (StoreException e) {
      log.log(Level.DEBUG, "a lock could not be given back; it ends by itself", e);
    }
  }
}
