package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.ranker.RankerConfig;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

/** Starting values that are not one layer's own: of tensors that hold several. */
class InitialValuesTest {
  private static final int RANK = 16;
  private static final int EXPERTS = 4;

  /**
   * The published code holds all experts' U and V in one tensor [E, D, r] and C in [E, r, r]; the
   * fans of Xavier's rule for these are D r (or r r) and E r.
   */
  @Test
  void dcnV2_experts_startFromTheFansOfAllTogether() {
    RankerConfig model =
        RankerConfig.read(
            TrainSessionTest.yaml(
                "type: dcnv2\nembedding: {width: 24}\nlayers: 1\nrank: %d\nexperts: %d"
                    .formatted(RANK, EXPERTS)));
    try (TrainSession session = GraphStepperTest.session(model, "clip_norm: 0")) {
      Map<String, double[]> weights = GraphStepperTest.everything(session);
      double width = 5 * 24; // Four id features and a number.
      int found = 0;
      for (Map.Entry<String, double[]> e : weights.entrySet()) {
        if (e.getKey().matches("(?!state).*expert\\d/[uvc]")) {
          double in = e.getKey().endsWith("/c") ? RANK : width;
          double deviation = Math.sqrt(2.0 / (in * RANK + EXPERTS * RANK));
          assertThat(e.getValue()).hasSize((int) (in * RANK));
          // Of 256 values or more: a relative error of 1 / sqrt(2 n), three times over.
          assertThat(deviation(e.getValue()))
              .as(e.getKey())
              .isCloseTo(deviation, within(deviation / 7));
          found++;
        }
      }
      assertThat(found).isEqualTo(3 * EXPERTS);
    }
  }

  private static double deviation(double[] values) {
    return Math.sqrt(DoubleStream.of(values).map(v -> v * v).average().orElseThrow());
  }
}
