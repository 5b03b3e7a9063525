package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Scope;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.ScoredVersion;
import dev.wukong.serving.joining.Example;
import dev.wukong.serving.joining.Example.Kind;
import dev.wukong.serving.joining.Shown;
import dev.wukong.serving.joining.Weighting;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MinibatchTest {
  private static final float[] P = {0.25f, 0.5f, 0.125f, 0.75f, 0.0625f, 0.5f};

  private static Example example(
      FeatureEncoder encoder, int task, double label, double weight, Weighting weighting) {
    EncodedRows context = encoder.allocate(Scope.CONTEXT, 1);
    EncodedRows candidate = encoder.allocate(Scope.CANDIDATE, 1);
    Shown shown =
        new Shown(
            1,
            0,
            new PredictionId(1, 2),
            new ScoredVersion(1, 1, 1, 1),
            0,
            context,
            candidate,
            new float[2]);
    Kind kind = label > 0 ? Kind.POSITIVE : Kind.NEGATIVE;
    return new Example(shown, task, (float) label, (float) weight, kind, weighting, 1, 1000, true);
  }

  /** Its part of the mean's slope. */
  private static double slope(EncodedExamples rows, int at, double whole) {
    double weight = (double) rows.labelWeights()[at];
    return weight * ((double) P[at] - (double) rows.labels()[at]) / whole;
  }

  /** The fewer of a task there are the more each would weigh, if the mean were over these alone. */
  @Test
  void weigh_partOfABatch_weighsEachAsInAWholeOne(@TempDir Path folder) throws Exception {
    Path root = LearningModel.train(folder);
    try (Bundle bundle = Bundle.open(root.resolve(LearningModel.NAME).resolve("1"))) {
      FeatureEncoder encoder = bundle.encoder();
      Minibatch minibatch = new Minibatch(encoder, 8, 0.5);
      minibatch.add(example(encoder, 0, 1, 1, Weighting.FAKE_NEGATIVE));
      minibatch.add(example(encoder, 0, 0, 3, Weighting.PLAIN));
      minibatch.add(example(encoder, 1, 1, 2, Weighting.PLAIN));
      assertThat(minibatch.wantsProbabilities()).isTrue();

      minibatch.weigh(P);

      EncodedExamples rows = minibatch.rows();
      double whole = 16; // 8, each of those that were kept for two.
      double[] expected = {1.25 * (0.25 - 1), 0, 3 * 0.125, 0, 0, 2 * (0.5 - 1)};
      double[] sums = new double[2];
      for (int at = 0; at < expected.length; at++) {
        sums[at % 2] += (double) rows.labelWeights()[at];
        assertThat(slope(rows, at, whole)).isCloseTo(expected[at] / whole, within(1e-6));
      }
      assertThat(sums[0]).isCloseTo(whole, within(1e-5));
      assertThat(sums[1]).isCloseTo(whole, within(1e-5));
      assertThat(minibatch.waitsSince(1500)).isEqualTo(500);
      minibatch.clear();
      assertThat(minibatch.waitsSince(1500)).isNegative();
    }
  }
}
