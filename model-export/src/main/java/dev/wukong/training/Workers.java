package dev.wukong.training;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

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

  /**
   * Runs {@code part} for 0 to count, the last on the calling thread. Returns, or fails with the
   * first failure, when all have ended.
   */
  void run(Part part) {
    List<Future<?>> futures = new ArrayList<>();
    for (int i = 0; i < count - 1; i++) {
      int own = i;
      futures.add(executor.submit(() -> part.run(own)));
    }
    @Nullable Throwable failure = null;
    try {
      part.run(count - 1);
    } catch (RuntimeException | Error e) {
      failure = e;
    }
    boolean interrupted = false;
    for (Future<?> future : futures) {
      // The parts write into memory that the caller may free: they are waited for in any case.
      while (true) {
        try {
          future.get();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          failure = failure == null ? e.getCause() : failure;
          break;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    switch (failure) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
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
