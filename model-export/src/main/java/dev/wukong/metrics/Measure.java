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
      // Labels of one kind say little: a task counts by either measure or by none.
      return Double.isFinite(metrics.auc()) ? -metrics.logLoss() : Double.NaN;
    }
  };

  /** The figure of {@code metrics}, higher is better; NaN where their labels are all alike. */
  public abstract double of(Metrics metrics);
}
