package dev.wukong.serving.retraining;

import dev.wukong.bundle.Precision;
import dev.wukong.runtime.Device;
import dev.wukong.serving.gating.GatePolicy;
import dev.wukong.serving.joining.JoinPolicy;
import dev.wukong.serving.lifecycle.RowPolicy;
import java.time.Duration;

/**
 * How a model learns.
 *
 * @param batch examples of a step at most
 * @param threads of a step
 * @param device where steps are made
 * @param rate multiplies the learning rates of the bundle; 0: what suits {@code batch}
 * @param linger how long examples wait, by the log's time, for others that make a batch full
 * @param precision of the graph that serves
 * @param join how predictions become examples
 * @param rows which ids have rows, of every table
 * @param period of admission: an id that is not seen in two of them begins anew
 * @param counted ids without a row that are counted in a period at most
 * @param mostRows rows that may be
 * @param gate when what was learned is visible
 */
public record LearnerOptions(
    int batch,
    int threads,
    Device device,
    double rate,
    Duration linger,
    Precision precision,
    JoinPolicy join,
    RowPolicy rows,
    Duration period,
    int counted,
    long mostRows,
    GatePolicy gate) {}
