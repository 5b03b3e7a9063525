package dev.wukong.serving.retraining;

import dev.wukong.data.FeatureEncoder;
import dev.wukong.metrics.Metrics;
import dev.wukong.serving.events.ScoredRequest;

/**
 * Whether requests are answered by what is trained: of some that the healthy state has answered,
 * the logged features go through training's path, and the probabilities must be those of the
 * answer. It finds rows, weights or features that serving has otherwise. The training thread's.
 */
final class SkewMonitor {
  /** Logits by which candidates may differ: more than half precision and small rows make. */
  private static final double APART = 0.05;

  private static final int MOST_CANDIDATES = 32;

  /** Time between looks, by the log. */
  private static final long EVERY_MS = 1_000;

  private final FeatureEncoder encoder;
  private final LearnerMeters meters;
  private long lookedMs;

  /** A monitor of the model that {@code encoder} encodes for. */
  SkewMonitor(FeatureEncoder encoder, LearnerMeters meters) {
    this.encoder = encoder;
    this.meters = meters;
  }

  /** Whether it is time to look at a request. */
  boolean due(long nowMs) {
    return nowMs - lookedMs >= EVERY_MS;
  }

  /** Looks at a request that the healthy state has answered. */
  void look(ScoredRequest request, Healthy healthy, long nowMs) {
    lookedMs = nowMs;
    int count = Math.min(MOST_CANDIDATES, request.candidates().rows());
    float[] probabilities =
        healthy.score(
            OwnContexts.of(
                encoder, request.context(), request.candidates(), request.contextOf(), count));
    for (int i = 0; i < count * request.tasks(); i++) {
      double by =
          Math.abs(
              Metrics.logit((double) probabilities[i])
                  - Metrics.logit((double) request.probabilities()[i]));
      meters.skew(by, by <= APART); // What is no number is apart.
    }
  }
}
