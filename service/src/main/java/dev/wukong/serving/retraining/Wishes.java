package dev.wukong.serving.retraining;

import dev.wukong.serving.hosting.VersionException;
import dev.wukong.serving.hosting.VersionException.NotNow;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What operators want of a model's training while it runs: that it rests, goes on, writes an
 * export, or ends. Any thread may wish; the trainer's thread alone rests, takes and waits.
 */
final class Wishes {
  private final String model;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by the lock. */
  private boolean closed;

  /** Guarded by the lock. */
  private boolean paused;

  /** Whether the trainer has seen that it is paused, and makes no step. Guarded by the lock. */
  private boolean rests;

  /** Told of the export that was asked for, and not begun. Guarded by the lock. */
  private @Nullable CompletableFuture<LearnedBundle.Exported> export;

  /** How often something was wanted. Guarded by the lock. */
  private long count;

  /** Whether operators want it to try again. Guarded by the lock. */
  private boolean again;

  Wishes(String model) {
    this.model = model;
  }

  /** It is to rest after the step under way, until {@link #resume}. */
  void pause() {
    set(() -> paused = true);
  }

  /** It is to go on, or to try again where it could not. */
  void resume() {
    set(
        () -> {
          paused = false;
          again = true;
        });
  }

  /** It is to end after the step under way. */
  void close() {
    set(() -> closed = true);
  }

  private void set(Runnable change) {
    lock.lock();
    try {
      change.run();
      count++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until it makes no step, as {@link #pause} asked; returns at once where it is to go on.
   */
  void awaitRest() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (paused && !rests && !closed) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Asks for an export.
   *
   * @param hindrance why there can be none now; asked where no other thread changes a wish, so that
   *     what is asked for is refused by whoever finds a hindrance later
   * @throws VersionException where it cannot be now
   */
  CompletableFuture<LearnedBundle.Exported> export(Supplier<Optional<String>> hindrance)
      throws VersionException {
    CompletableFuture<LearnedBundle.Exported> done = new CompletableFuture<>();
    lock.lock();
    try {
      Optional<String> why = closed ? Optional.of("the service stops") : hindrance.get();
      if (why.isPresent()) {
        throw doesNotLearn(why.get());
      }
      if (export != null) {
        throw new VersionException.Busy(
            "another export of model '%s' waits already".formatted(model));
      }
      export = done;
      count++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    return done;
  }

  /** Whether one waits that may become possible: training goes on. */
  boolean exportWaits() {
    lock.lock();
    try {
      return export != null && !paused;
    } finally {
      lock.unlock();
    }
  }

  /** The export that is to be written now, by the trainer; null: none. */
  @Nullable CompletableFuture<LearnedBundle.Exported> takeExport() {
    lock.lock();
    try {
      CompletableFuture<LearnedBundle.Exported> taken = export;
      export = null;
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses the export that was asked for: nobody will write it. */
  void refuse(NotNow why) {
    CompletableFuture<LearnedBundle.Exported> asked = takeExport();
    if (asked != null) {
      asked.completeExceptionally(why);
    }
  }

  /** What says to operators that what they want cannot be now. */
  NotNow doesNotLearn(String reason) {
    return new NotNow("model '%s' does not learn now: %s".formatted(model, reason));
  }

  /**
   * Whether the trainer is to rest.
   *
   * @param says writes down that it does, before those are told who wait for that
   */
  boolean rest(Runnable says) {
    lock.lock();
    try {
      rests = paused;
      if (rests) {
        says.run();
        changed.signalAll();
      }
      return rests;
    } finally {
      lock.unlock();
    }
  }

  /** The trainer could not go on: waits until operators want it to try again, or to end. */
  void awaitAgain() {
    lock.lock();
    try {
      again = false;
      rests = true;
      changed.signalAll();
      while (!again && !closed) {
        changed.awaitUninterruptibly();
      }
      rests = false;
    } finally {
      lock.unlock();
    }
  }

  /** The trainer waits so long, or until something else is wanted. */
  void await(Duration time) {
    long left = time.toNanos();
    lock.lock();
    try {
      long seen = count;
      while (left > 0 && count == seen) {
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }
}
