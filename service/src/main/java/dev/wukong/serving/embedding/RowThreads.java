package dev.wukong.serving.embedding;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.System.Logger.Level;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads of all tiers: readers of the store, platform threads as a native call holds its
 * carrier; and one keeper, who brings what was read into memory, off the path of requests.
 */
public final class RowThreads implements AutoCloseable {
  private static final System.Logger log = System.getLogger(RowThreads.class.getName());

  /** Batches of rows that may wait for the keeper. */
  private static final int WAITING = 1024;

  /** Rows of all of these together: of 128 floats each they are 32 MiB. */
  private static final int WAITING_ROWS = 1 << 16;

  private final Executor readers;
  private final Executor keeper;
  private final Runnable dropped;
  private final Runnable end;

  /** Rows that wait for the keeper. */
  private final AtomicInteger waiting = new AtomicInteger();

  /** What they wait in. */
  private final AtomicInteger tasks = new AtomicInteger();

  private RowThreads(Executor readers, Executor keeper, Runnable dropped, Runnable end) {
    this.readers = readers;
    this.keeper = keeper;
    this.dropped = dropped;
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
            // Who asks for reads bounds how many wait: see RowLoads.
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
            new LinkedBlockingQueue<>(), // Bounded by who gives: see give.
            Thread.ofPlatform().daemon().name("row-keeper").factory());
    // Now: a thread has the priority of the one that starts it, and loads have the lowest.
    reading.prestartAllCoreThreads();
    keeping.prestartAllCoreThreads();
    return new RowThreads(
        reading,
        keeping,
        dropped::increment,
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
    return new RowThreads(readers, keeper, () -> {}, () -> {});
  }

  Executor readers() {
    return readers;
  }

  /**
   * Has the keeper do something with {@code rows} rows, later. Where too much waits already it is
   * dropped: a row that is not brought in is read again when it is asked for again.
   *
   * @return whether it will be done
   */
  boolean keep(int rows, Runnable task) {
    boolean taken = give(rows, WAITING_ROWS, task);
    if (!taken) {
      dropped.run();
    }
    return taken;
  }

  /** The same with something that may be left out as well, and must not take the others' room. */
  void sample(int rows, Runnable task) {
    boolean _ = give(rows, WAITING_ROWS / 4, task);
  }

  private boolean give(int rows, int room, Runnable task) {
    boolean taken = false;
    int now = waiting.addAndGet(rows);
    int many = tasks.incrementAndGet();
    try {
      if (many <= WAITING && (now <= room || now == rows)) {
        keeper.execute(() -> work(rows, task));
        taken = true;
      }
    } catch (RejectedExecutionException e) {
      log.log(Level.TRACE, "the process ends", e);
    } finally {
      if (!taken) {
        done(rows);
      }
    }
    return taken;
  }

  private void work(int rows, Runnable task) {
    try {
      task.run();
    } finally {
      done(rows);
    }
  }

  private void done(int rows) {
    waiting.addAndGet(-rows);
    tasks.decrementAndGet();
  }

  /** Ends the threads when they have done what waits. */
  @Override
  public void close() {
    end.run();
  }
}
