package dev.wukong.training;

/**
 * An optimizer's arithmetic over a tile of weights on the heap: one pass that reads each number
 * once, where a graph of elementwise operators would pass over memory ten times.
 */
sealed interface HostOptimizer {
  /** Floats of state a weight. */
  int slots();

  /**
   * One step.
   *
   * @param w weights, changed
   * @param g gradients, read
   * @param state {@link #slots} arrays, changed
   * @param rate the learning rate of this step
   * @param step counted from 1
   */
  void update(float[] w, float[] g, float[][] state, int count, double rate, long step);

  static HostOptimizer of(OptimizerConfig config) {
    return switch (config) {
      case OptimizerConfig.Sgd _ -> new Sgd();
      case OptimizerConfig.Adam(var _, var beta1, var beta2, var epsilon) ->
          new Adam((float) beta1, (float) beta2, (float) epsilon, beta1, beta2);
      case OptimizerConfig.RowWiseAdaGrad _ ->
          throw new IllegalArgumentException("row-wise AdaGrad works on rows, not on a flat range");
    };
  }

  /** w -= rate g. */
  record Sgd() implements HostOptimizer {
    @Override
    public int slots() {
      return 0;
    }

    @Override
    public void update(float[] w, float[] g, float[][] state, int count, double rate, long step) {
      float factor = (float) rate;
      for (int i = 0; i < count; i++) {
        w[i] -= factor * g[i];
      }
    }
  }

  /** Adam; the exact betas make the bias corrections in double. */
  record Adam(float beta1, float beta2, float epsilon, double exact1, double exact2)
      implements HostOptimizer {
    @Override
    public int slots() {
      return 2;
    }

    @Override
    public void update(float[] w, float[] g, float[][] state, int count, double rate, long step) {
      float[] m = state[0];
      float[] v = state[1];
      float size = (float) (rate / (1 - Math.pow(exact1, (double) step)));
      float root = (float) (1 / Math.sqrt(1 - Math.pow(exact2, (double) step)));
      float b1 = beta1;
      float b2 = beta2;
      float c1 = 1 - b1;
      float c2 = 1 - b2;
      float eps = epsilon;
      for (int i = 0; i < count; i++) {
        float gi = g[i];
        float mi = b1 * m[i] + c1 * gi;
        float vi = b2 * v[i] + c2 * gi * gi;
        m[i] = mi;
        v[i] = vi;
        w[i] -= size * mi / ((float) Math.sqrt(vi) * root + eps);
      }
    }
  }
}
