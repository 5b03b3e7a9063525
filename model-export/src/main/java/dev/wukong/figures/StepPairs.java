package dev.wukong.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/**
 * Two sides' training steps, timed in turn.
 *
 * @param ours milliseconds of our median step, by pair
 * @param theirs of PyTorch's
 */
record StepPairs(double[] ours, double[] theirs) {

  /**
   * Times {@code pairs} goes of {@code steps} steps on each side.
   *
   * @param label what is trained, for people
   */
  static StepPairs of(
      BenchmarkContext context,
      String label,
      WorkerProcess ours,
      WorkerProcess theirs,
      int steps,
      int pairs)
      throws IOException, BenchmarkException {
    double[] a = new double[pairs];
    double[] b = new double[pairs];
    for (int i = 0; i < pairs; i++) {
      // Who goes first changes, so that a drift of the machine favours nobody.
      if (i % 2 == 0) {
        a[i] = run(ours, steps);
        b[i] = run(theirs, steps);
      } else {
        b[i] = run(theirs, steps);
        a[i] = run(ours, steps);
      }
      context
          .progress()
          .printf(Locale.ROOT, "%s: ours %.2f ms, PyTorch %.2f ms%n", label, a[i], b[i]);
      context.progress().flush();
    }
    return new StepPairs(a, b);
  }

  /** The median step of one go; the other side's threads have gone to sleep before it. */
  static double run(WorkerProcess worker, int steps) throws IOException, BenchmarkException {
    LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
    double[] all = worker.ask("run " + (steps + 1));
    return Figure.median(Arrays.copyOfRange(all, 1, all.length));
  }
}
