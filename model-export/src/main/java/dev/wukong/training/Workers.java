package dev.wukong.training;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A fixed number of platform threads for arithmetic beside the graph. Work is cut by the number of
 * threads alone, so results do not depend on timing. One caller at a time.
 */
final class Workers implements AutoCloseable {
  /** The work of one thread. */
  interface Part {
    void run(int part);
  }

  private final int count;
  private final ExecutorService executor;

  Workers(int count) {
    this.count = count;
    this.executor =
        Executors.newFixedThreadPool(
            Math.max(1, count - 1), Thread.ofPlatform().daemon().name("trainer-", 0).factory());
  }

  int count() {
    return count;
  }

  /** Runs {@code part} for 0 to count, the last on the calling thread. */
  void run(Part part) {
    List<Future<?>> futures = new ArrayList<>();
    for (int i = 0; i < count - 1; i++) {
      int own = i;
      futures.add(executor.submit(() -> part.run(own)));
    }
    part.run(count - 1);
    for (Future<?> future : futures) {
      try {
        future.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while training", e);
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
  }

  /**
   * Runs {@code range} over equal shares of 0 to {@code length}, on borders that are multiples of
   * {@code grain}.
   */
  void range(long length, long grain, Range range) {
    long grains = (length + grain - 1) / grain;
    run(
        part -> {
          long from = grains * part / count * grain;
          long to = Math.min(length, grains * (part + 1) / count * grain);
          if (from < to) {
            range.run(part, from, to);
          }
        });
  }

  /** A share of a range. */
  interface Range {
    void run(int part, long from, long to);
  }

  @Override
  public void close() {
    executor.shutdown();
  }
}
