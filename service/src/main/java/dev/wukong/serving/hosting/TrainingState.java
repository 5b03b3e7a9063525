package dev.wukong.serving.hosting;

import dev.wukong.serving.gating.GateReport;
import java.util.Optional;

/**
 * How the online training of a model stands.
 *
 * @param reason why it does not learn; empty while it does
 * @param bundle the version that learns; 0: none
 * @param position in the log of the next event that it takes
 * @param lag events in the log that it has not come to
 * @param epoch who made the last commit
 * @param dense how often the dense weights had changed by then, since the bundle
 * @param examples learned from by then, since the bundle
 * @param gate whether what was learned may serve; empty before the first commit
 */
public record TrainingState(
    Phase phase,
    String reason,
    long bundle,
    long position,
    long lag,
    long epoch,
    long dense,
    long examples,
    Optional<GateReport> gate) {
  /** What it does. */
  public enum Phase {
    /** It waits: for a version that serves, or until an export is written. */
    WAITING,
    /** It learns. */
    LEARNING,
    /** Operators have stopped it. */
    PAUSED,
    /** It cannot go on; operators can have it try again. */
    HALTED
  }
}
