package dev.wukong.serving.embedding;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads of all tiers: readers of the store, platform threads as a native call holds its
 * carrier; and one keeper, who brings what was read into memory, off the path of requests.
 */
public final class RowThreads implements AutoCloseable {
  /**
   * Batches of rows that may wait for the keeper. More are dropped: a row that is not brought in is
   * read again when it is asked for again.
   */
  private static final int WAITING = 64;

  private final Executor readers;
  private final Executor keeper;
  private final Runnable end;

  private RowThreads(Executor readers, Executor keeper, Runnable end) {
    this.readers = readers;
    this.keeper = keeper;
    this.end = end;
  }

  /**
   * Starts the threads, with the priority of this one.
   *
   * @param readers how many read the store
   * @param meters count what the keeper had no time for
   */
  public static RowThreads start(int readers, MeterRegistry meters) {
    ThreadPoolExecutor reading =
        new ThreadPoolExecutor(
            readers,
            readers,
            0,
            TimeUnit.SECONDS,
            // At most one read a request and group waits, and admission bounds requests.
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("rows-", 0).factory());
    Counter dropped =
        Counter.builder("wukong.embedding.keeper.dropped")
            .description("Batches of rows that were not brought into memory, as too many waited")
            .register(meters);
    ThreadPoolExecutor keeping =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING),
            Thread.ofPlatform().daemon().name("row-keeper").factory(),
            (task, executor) -> dropped.increment());
    // Now: a thread has the priority of the one that starts it, and loads have the lowest.
    reading.prestartAllCoreThreads();
    keeping.prestartAllCoreThreads();
    return new RowThreads(
        reading,
        keeping,
        () -> {
          reading.close();
          keeping.close();
        });
  }

  /** No threads: whoever needs a row reads it, and brings it in before going on. */
  public static RowThreads none() {
    return of(Runnable::run, Runnable::run);
  }

  /** Threads of somebody else, which {@link #close} leaves alone. */
  static RowThreads of(Executor readers, Executor keeper) {
    return new RowThreads(readers, keeper, () -> {});
  }

  Executor readers() {
    return readers;
  }

  Executor keeper() {
    return keeper;
  }

  /** Ends the threads when they have done what waits. */
  @Override
  public void close() {
    end.run();
  }
}
