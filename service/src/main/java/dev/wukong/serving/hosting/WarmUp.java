package dev.wukong.serving.hosting;

import dev.wukong.bundle.GoldenRows;
import dev.wukong.serving.embedding.DefaultedPositions;
import dev.wukong.serving.inputs.ModelInputs;
import java.util.ArrayList;
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
    List<ModelInputs> parts = parts(golden, model, rows);
    try {
      long least = Long.MAX_VALUE;
      for (int i = 0; i < RUNS; i++) {
        long began = System.nanoTime();
        model.run(parts, _ -> {});
        least = Math.min(least, System.nanoTime() - began);
      }
      return least;
    } finally {
      parts.forEach(ModelInputs::recycle);
    }
  }

  private static List<ModelInputs> parts(GoldenRows golden, HostedModel model, int rows) {
    List<ModelInputs> parts = new ArrayList<>();
    int each = golden.candidate().rows();
    for (int from = 0; from < rows; from += each) {
      ModelInputs part = model.inputs();
      model.prepare(
          golden.context(),
          golden.candidate(),
          golden.contextOf(),
          0,
          Math.min(each, rows - from),
          part,
          new DefaultedPositions(model.layout()));
      parts.add(part);
    }
    return parts;
  }
}
