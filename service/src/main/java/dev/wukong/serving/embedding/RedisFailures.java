package dev.wukong.serving.embedding;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Tells a cluster of which a part fails from one that fails, and says so in the log. Any thread.
 */
final class RedisFailures {
  private static final System.Logger log = System.getLogger(RedisFailures.class.getName());

  /** Without an answer from any node for so long, the cluster has failed. */
  private static final long SILENCE_NANOS = Duration.ofSeconds(1).toNanos();

  /** Between two lines of the log. */
  private static final long SAY_NANOS = Duration.ofSeconds(10).toNanos();

  private final RedisConnection connection;
  private final AtomicLong answered = new AtomicLong(System.nanoTime());
  private final AtomicLong said = new AtomicLong(System.nanoTime() - SAY_NANOS);

  RedisFailures(RedisConnection connection) {
    this.connection = connection;
  }

  /** Says that a node has answered. */
  void answered() {
    answered.setPlain(System.nanoTime());
  }

  /**
   * Says that rows could not be read.
   *
   * @param failure null where they were not asked for
   * @throws StoreException if none of a read could, and no other read's for a while
   */
  void failed(int unread, int count, @Nullable Throwable failure) {
    connection.suspect();
    long now = System.nanoTime();
    String message =
        "%d of %d rows could not be read: %s"
            .formatted(
                unread,
                count,
                failure == null
                    ? "their nodes have failed some times in a row"
                    : RedisReason.of(failure));
    if (unread == count && now - answered.get() > SILENCE_NANOS) {
      throw new StoreException(message, failure);
    }
    long last = said.get();
    if (now - last > SAY_NANOS && said.compareAndSet(last, now)) {
      log.log(Level.WARNING, message);
    }
  }
}
