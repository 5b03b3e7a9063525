package dev.wukong.figures;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.RowKey;
import dev.wukong.simulator.Zipf;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Synthetic batches: ids drawn by Zipf's law, labels and their weights. */
final class StepBatches {
  private static final double SKEW = 1.05;
  private static final double CLICK_RATE = 0.3;

  private StepBatches() {}

  static List<EncodedExamples> of(StepSize size, int count, long seed) {
    Zipf zipf = new Zipf(StepSize.VOCABULARY, SKEW);
    SplittableRandom random = new SplittableRandom(seed);
    List<EncodedExamples> batches = new ArrayList<>();
    for (int b = 0; b < count; b++) {
      long[] ids = new long[size.batch() * size.features()];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = RowKey.FIRST + zipf.rank(random.nextDouble());
      }
      float[] labels = new float[size.batch()];
      float[] weights = new float[size.batch()];
      for (int i = 0; i < labels.length; i++) {
        labels[i] = random.nextDouble() < CLICK_RATE ? 1 : 0;
        weights[i] = (float) (0.5 + random.nextDouble());
      }
      batches.add(
          new EncodedExamples(
              new EncodedRows(size.batch(), new long[0], new float[0], new float[0]),
              new EncodedRows(size.batch(), ids, new float[0], new float[0]),
              labels,
              weights));
    }
    return batches;
  }
}
