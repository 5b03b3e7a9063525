package dev.wukong.serving.hosting;

import dev.wukong.bundle.GoldenRows;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.serving.inputs.ModelInputs;
import java.util.List;

/**
 * Runs batches of growing size before a version serves: the first request then finds code compiled
 * and memory reserved, and the batcher knows what batches cost.
 */
final class WarmUp {
  private static final int RUNS = 3;

  /** Enough for what is asked here; a large model on a small machine need not run all sizes. */
  private static final long BUDGET_NANOS = 2_000_000_000;

  private WarmUp() {}

  /** Warms {@code model} with its golden rows, repeated; does nothing where it has none. */
  static void of(GoldenRows golden, HostedModel model) {
    if (golden.candidate().rows() == 0) {
      return;
    }
    if (model.cost().nanosPerRow() > 0) {
      // Known from the version before; only code and memory are left to be made ready.
      measure(golden, model, 1);
      measure(golden, model, model.cost().preferredRows());
      return;
    }
    int[] sizes = model.cost().sizes();
    double[] nanos = new double[sizes.length];
    long start = System.nanoTime();
    int measured = 0;
    while (measured < sizes.length && System.nanoTime() - start < BUDGET_NANOS) {
      nanos[measured] = measure(golden, model, sizes[measured]);
      measured++;
    }
    for (int i = measured; i < sizes.length; i++) {
      // Never run: taken for as dear a row as the largest that was, so that it is not preferred.
      nanos[i] = nanos[measured - 1] * sizes[i] / sizes[measured - 1];
    }
    model.cost().measured(nanos);
  }

  /** Nanoseconds of the quickest of some batches of {@code rows} candidates. */
  private static double measure(GoldenRows golden, HostedModel model, int rows) {
    ModelInputs inputs =
        model.prepare(
            golden.context(),
            repeated(golden.candidate(), rows, model.layout()),
            repeated(golden.contextOf(), rows));
    try {
      long least = Long.MAX_VALUE;
      for (int i = 0; i < RUNS; i++) {
        long began = System.nanoTime();
        model.run(List.of(inputs), _ -> {});
        least = Math.min(least, System.nanoTime() - began);
      }
      return least;
    } finally {
      inputs.recycle();
    }
  }

  /** As many rows as wanted, over and over the same. */
  private static EncodedRows repeated(EncodedRows golden, int rows, InputLayout layout) {
    int positions = layout.positions(Scope.CANDIDATE);
    int weights = golden.weights().length == 0 ? 0 : positions;
    int dense = layout.denseWidth(Scope.CANDIDATE);
    EncodedRows repeated =
        new EncodedRows(
            rows, new long[rows * positions], new float[rows * weights], new float[rows * dense]);
    for (int row = 0; row < rows; row++) {
      int from = row % golden.rows();
      System.arraycopy(golden.ids(), from * positions, repeated.ids(), row * positions, positions);
      System.arraycopy(
          golden.weights(), from * weights, repeated.weights(), row * weights, weights);
      System.arraycopy(golden.dense(), from * dense, repeated.dense(), row * dense, dense);
    }
    return repeated;
  }

  private static int[] repeated(int[] contextOf, int rows) {
    int[] repeated = new int[contextOf.length == 0 ? 0 : rows];
    for (int row = 0; row < repeated.length; row++) {
      repeated[row] = contextOf[row % contextOf.length];
    }
    return repeated;
  }
}
