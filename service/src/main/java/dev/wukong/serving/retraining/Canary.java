package dev.wukong.serving.retraining;

import dev.wukong.serving.gating.Decision;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.hosting.Trial;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has what was learned, and is not promoted yet, answer as many requests as the gate says. The
 * training thread's.
 */
final class Canary implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Canary.class);

  private final String model;
  private final Trial trial;

  /** Whether more rows had changed than fit: there is none until the next healthy state. */
  private boolean full;

  /** The canary of a version. */
  Canary(ServedModel served, long bundle) {
    this.model = served.name();
    this.trial = new Trial(served, bundle);
  }

  /** A commit is about to be written: what it takes back must answer nobody any more. */
  void before(Learner.Made made) {
    if (made.decision() instanceof Decision.TakeBack) {
      end();
    }
  }

  /** A commit was written. */
  void after(Learner.Made made, Learner learner) {
    if (made.decision() instanceof Decision.Promote) {
      end(); // Everybody gets it now.
    }
    double share = learner.tries();
    if (share == 0) {
      end();
    } else if (!full && (made.learned() || !trial.shown())) {
      full = !trial.show(learner.candidate(made, !trial.shown()), share);
      if (full) {
        log.warn(
            "model '{}': more rows have changed than a canary can have, it answers nobody until the"
                + " next promotion",
            model);
      }
    } else {
      trial.share(share);
    }
  }

  private void end() {
    trial.end();
    full = false;
  }

  @Override
  public void close() {
    trial.close();
  }
}
