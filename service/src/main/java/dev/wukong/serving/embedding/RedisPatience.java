package dev.wukong.serving.embedding;

import io.lettuce.core.RedisCommandExecutionException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Does again what a cluster refuses while a master is down and its replica takes over. Any thread
 * that may wait.
 *
 * @param clock nanoseconds, as of {@link System#nanoTime}
 * @param most so long after the first failure, the next one is final
 * @param pause between two tries
 */
record RedisPatience(LongSupplier clock, Duration most, Duration pause) {
  /** What a node answers that will take the same command later, or that another one will take. */
  private static final List<String> PASSING =
      List.of("CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "ASK", "TRYAGAIN", "READONLY");

  /** Enough for a replica to take over with Redis' own default of 15 s for a node to be missed. */
  static RedisPatience ordinary() {
    return new RedisPatience(System::nanoTime, Duration.ofSeconds(30), Duration.ofMillis(100));
  }

  /**
   * What {@code step} gives; it must not mind being done twice.
   *
   * @throws StoreException of the last try, if it does not pass or has lasted too long
   */
  <T> T outlast(Supplier<T> step) {
    long until = 0;
    for (boolean failed = false; ; failed = true) {
      try {
        return step.get();
      } catch (StoreException e) {
        if (!failed) {
          until = clock.getAsLong() + most.toNanos();
        }
        if (!passes(e) || clock.getAsLong() - until >= 0) {
          throw e;
        }
      }
      rest();
    }
  }

  /** Waits for {@link #pause}. */
  void rest() {
    try {
      TimeUnit.NANOSECONDS.sleep(pause.toNanos());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("waiting for a replica to take over was interrupted", e);
    }
  }

  /** Whether a node failed, or did not answer, rather than refused. */
  static boolean passes(StoreException failure) {
    if (failure.getCause() == null) {
      return false;
    }
    Throwable cause = RedisReason.cause(failure);
    if (cause instanceof RedisCommandExecutionException refused) {
      String message = String.valueOf(refused.getMessage());
      return PASSING.stream().anyMatch(message::startsWith);
    }
    return !(cause instanceof InterruptedException);
  }
}
