package dev.wukong.serving.retraining;

import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.hosting.VersionException;
import dev.wukong.serving.hosting.VersionException.NotNow;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exports that operators ask for: each is written between two steps, and only when what was
 * learned by then is what serves. It waits for that, but not for ever. The training thread's.
 */
final class Exports {
  private static final Logger log = LoggerFactory.getLogger(Exports.class);

  /** How long one waits for a promotion: two of the usual. */
  private static final Duration WAITS = Duration.ofMinutes(2);

  private final String model;
  private final Wishes wishes;
  private final LongSupplier nanos;

  /** Since when one waits; 0: none does. Read by any thread. */
  private volatile long sinceNanos;

  /** Writes what a learner has learned. */
  interface Writing {
    LearnedBundle.Exported of(Learner learner) throws IOException, VersionException;
  }

  /** None is asked for yet. */
  Exports(String model, Wishes wishes, LongSupplier nanos) {
    this.model = model;
    this.wishes = wishes;
    this.nanos = nanos;
  }

  /** Whether one waits for that what was learned is promoted. Any thread. */
  boolean awaitsPromotion() {
    return sinceNanos != 0;
  }

  /** Writes the one that was asked for. Whatever comes of that, training goes on. */
  void writeIfAsked(Learner learner, Writing writing) {
    if (!learner.exportable() && mayBeSoon(learner)) {
      return;
    }
    sinceNanos = 0;
    CompletableFuture<LearnedBundle.Exported> asked = wishes.takeExport();
    if (asked == null) {
      return;
    }
    long began = nanos.getAsLong();
    try {
      if (!learner.exportable()) {
        throw new NotNow(
            "model '%s' has learned since its last healthy state what the gate has not promoted:"
                    .formatted(model)
                + " resume training if it is paused, accept that, or step back, and export then");
      }
      LearnedBundle.Exported exported = writing.of(learner);
      log.info(
          "model '{}': what version {} has learned is version {}, written in {} ms",
          model,
          exported.source(),
          exported.version(),
          (nanos.getAsLong() - began) / 1_000_000);
      asked.complete(exported);
    } catch (IOException | VersionException | RuntimeException e) {
      log.warn("model '{}': an export has failed, training goes on", model, e);
      asked.completeExceptionally(e);
    }
  }

  /** What is not promoted is not written; what comes next may be, for some time. */
  private boolean mayBeSoon(Learner learner) {
    if (learner.gate().mode() == GateMode.SHADOW || !wishes.exportWaits()) {
      return false;
    }
    long now = nanos.getAsLong();
    sinceNanos = sinceNanos == 0 ? now : sinceNanos;
    return now - sinceNanos < WAITS.toNanos();
  }
}
