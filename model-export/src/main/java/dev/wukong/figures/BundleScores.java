package dev.wukong.figures;

import dev.wukong.data.DatasetWriter;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.FileFormat;
import dev.wukong.data.Progress;
import dev.wukong.data.RowSource;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.MetricsCollector;
import dev.wukong.training.BundleScorer;
import dev.wukong.training.Evaluator;
import java.nio.file.Path;

/**
 * What an exported bundle of one task makes of rows.
 *
 * @param probabilities by row
 */
record BundleScores(float[] probabilities, Metrics metrics) {
  private static final int BATCH = 4096;

  /** The rows of {@code file} as the bundle's model takes them, in {@code encoded}. */
  static EncodedDataset encode(BundleScorer scorer, FileFormat format, Path file, Path encoded) {
    try (RowSource source = format.open(file)) {
      DatasetWriter.write(encoded, scorer.encoder(), source, Progress.NONE);
    }
    return EncodedDataset.open(encoded, scorer.encoder());
  }

  /** The scores of all of {@code data}. */
  static BundleScores of(BundleScorer scorer, EncodedDataset data) {
    float[] own = new float[Math.toIntExact(data.rows())];
    MetricsCollector collector = new MetricsCollector();
    int[] at = {0};
    Evaluator.score(
        scorer::score,
        data,
        BATCH,
        Progress.NONE,
        (examples, probabilities) -> {
          System.arraycopy(probabilities, 0, own, at[0], examples.rows());
          for (int i = 0; i < examples.rows(); i++) {
            collector.add(probabilities[i], examples.labels()[i], examples.labelWeights()[i]);
          }
          at[0] += examples.rows();
        });
    return new BundleScores(own, collector.metrics());
  }
}
