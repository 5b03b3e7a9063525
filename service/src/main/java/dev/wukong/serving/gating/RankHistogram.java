package dev.wukong.serving.gating;

import java.nio.ByteBuffer;

/**
 * Weights of positive and of negative examples by logit, which gives the area under the curve to
 * about a thousandth. One thread.
 */
final class RankHistogram {
  /** Logits from -8 to 8, a fifth each; those beyond count as the last. */
  private static final int BINS = 80;

  private static final double HALF = 8;

  static final int BYTES = 2 * BINS * Float.BYTES;

  private final float[] positives = new float[BINS];
  private final float[] negatives = new float[BINS];

  void add(double probability, double positive, double negative) {
    double logit = Math.log(probability / (1 - probability));
    int bin = (int) Math.clamp((logit + HALF) / (2 * HALF) * BINS, 0, BINS - 1.0);
    positives[bin] += (float) positive;
    negatives[bin] += (float) negative;
  }

  /** All that was added counts less from now on: by this factor. */
  void fade(float part) {
    for (int i = 0; i < BINS; i++) {
      positives[i] *= part;
      negatives[i] *= part;
    }
  }

  /** The share of pairs that are in the right order, ties by half; NaN without a pair. */
  double area() {
    double below = 0;
    double right = 0;
    double all = 0;
    for (int i = 0; i < BINS; i++) {
      right += (double) positives[i] * (below + (double) negatives[i] / 2);
      below += (double) negatives[i];
      all += (double) positives[i];
    }
    return right / (all * below);
  }

  void write(ByteBuffer to) {
    for (int i = 0; i < BINS; i++) {
      to.putFloat(positives[i]).putFloat(negatives[i]);
    }
  }

  void read(ByteBuffer from) {
    for (int i = 0; i < BINS; i++) {
      positives[i] = from.getFloat();
      negatives[i] = from.getFloat();
    }
  }
}
