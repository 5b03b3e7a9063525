package dev.wukong.study;

import dev.wukong.metrics.Metrics;
import dev.wukong.training.Trainer;
import java.util.Map;

/**
 * One epoch of a learning curve.
 *
 * @param loss mean over the training examples, as they were met
 * @param valid by task
 * @param learningRateFactor of the configured rates during this epoch
 * @param seconds of training, validation not counted
 * @param best whether its validation figure was the best so far
 */
public record CurvePoint(
    int epoch,
    double loss,
    Map<String, Metrics> valid,
    double learningRateFactor,
    double seconds,
    double examplesPerSecond,
    boolean best) {

  static CurvePoint of(Trainer.Epoch epoch, long rows) {
    return new CurvePoint(
        epoch.epoch(),
        epoch.loss(),
        epoch.validation(),
        epoch.factor(),
        rows / epoch.rowsPerSecond(),
        epoch.rowsPerSecond(),
        epoch.best());
  }
}
