package dev.wukong.serving.hosting;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A thread of ordinary priority on which others are started. On Linux a thread begins with the
 * priority of the one that starts it, and versions are loaded by a {@link QuietThread}: what it
 * started itself would stand behind everybody, too, and answer requests. Any thread may call.
 */
final class ThreadStarter implements Executor, AutoCloseable {
  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(
          1,
          1,
          0,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(),
          Thread.ofPlatform().daemon().name("starter").factory());

  /** Started by the caller, whose priority it has from then on. */
  ThreadStarter() {
    thread.prestartAllCoreThreads();
  }

  /** What {@code make}, which starts threads, gives; the caller waits. */
  <T> T start(Supplier<T> make) {
    try {
      return CompletableFuture.supplyAsync(make, thread).join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw e;
      }
    }
  }

  /** Runs {@code task}, which may start threads; nobody waits. */
  @Override
  public void execute(Runnable task) {
    thread.execute(task);
  }

  /** Takes nothing more; what was taken is run. */
  @Override
  public void close() {
    thread.shutdown();
  }
}
