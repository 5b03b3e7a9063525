package dev.wukong.serving.hosting;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What others want done on one thread, in order. Any thread adds; the one thread runs and closes.
 * What was taken is done: it is run before this is closed, or then.
 */
final class Orders {
  private static final int MOST = 16;

  /** Guarded by this. */
  private final Queue<Runnable> waiting = new ArrayDeque<>();

  /** Guarded by this. */
  private boolean closed;

  private final Executor answers;

  /**
   * Nothing to do.
   *
   * @param answers tells those who wait: a thread that wakes virtual ones may start what runs them,
   *     with its own priority
   */
  Orders(Executor answers) {
    this.answers = answers;
  }

  /**
   * Adds {@code task}.
   *
   * @throws VersionException.Busy if too much waits already, or nothing is run any more
   */
  synchronized <T> CompletableFuture<T> add(Callable<T> task) throws VersionException.Busy {
    if (closed || waiting.size() == MOST) {
      throw new VersionException.Busy(
          "other operations are under way, or the service stops; try again");
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    waiting.add(
        () -> {
          try {
            T done = task.call();
            answers.execute(() -> result.complete(done));
          } catch (Throwable e) { // Whoever waits is told, whatever it was.
            answers.execute(() -> result.completeExceptionally(e));
          }
        });
    return result;
  }

  synchronized boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** Runs what waits. */
  void run() {
    for (Runnable order = next(); order != null; order = next()) {
      order.run();
    }
  }

  private synchronized @Nullable Runnable next() {
    return waiting.poll();
  }

  /** Takes nothing more, and runs what was taken: nobody may wait for what will not be done. */
  void close() {
    synchronized (this) {
      closed = true;
    }
    run();
  }
}
