package dev.wukong.metrics;

/** Which metric tells a better state of a model from a worse one. */
public enum Measure {
  /** How well examples are ordered; says nothing of the size of probabilities. */
  AUC {
    @Override
    public double of(Metrics metrics) {
      return metrics.auc();
    }
  },
  /** How probable the labels are held to be: order and calibration at once. */
  LOG_LOSS {
    @Override
    public double of(Metrics metrics) {
      return -metrics.logLoss();
    }
  };

  /** The figure of {@code metrics}, higher is better; NaN where it has none. */
  public abstract double of(Metrics metrics);
}
