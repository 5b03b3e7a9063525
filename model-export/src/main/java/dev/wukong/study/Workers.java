package dev.wukong.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Threads that share a list of runs. Where one cannot be written down, all end. */
final class Workers {
  private final int threads;
  private final BooleanSupplier stop;

  /** Makes a run; ends early once it is asked to stop. */
  @FunctionalInterface
  interface Work {
    void make(StudyRun run, BooleanSupplier stop) throws IOException;
  }

  Workers(int threads, BooleanSupplier stop) {
    this.threads = threads;
    this.stop = stop;
  }

  /**
   * Makes all of {@code runs}, or as many as are made before it is asked to stop.
   *
   * @throws IOException the first that a run met
   */
  void each(List<StudyRun> runs, Work work) throws IOException {
    Queue<StudyRun> left = new ConcurrentLinkedQueue<>(runs);
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    BooleanSupplier until = () -> stop.getAsBoolean() || failure.get() != null;
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < Math.min(threads, runs.size()); i++) {
      workers.add(
          Thread.ofPlatform()
              .name("study-" + (i + 1))
              .start(
                  () -> {
                    try {
                      StudyRun run = left.poll();
                      while (run != null && !until.getAsBoolean()) {
                        work.make(run, until);
                        run = left.poll();
                      }
                    } catch (IOException | RuntimeException | Error e) {
                      failure.compareAndSet(null, e); // Thrown below, by the thread that waits.
                    }
                  }));
    }
    boolean interrupted = false;
    for (Thread worker : workers) {
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException e) {
          interrupted = true;
          failure.compareAndSet(null, new IOException("interrupted while runs were made", e));
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Throwable met = failure.get();
    switch (met) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(met);
    }
  }
}
