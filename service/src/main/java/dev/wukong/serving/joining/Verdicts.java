package dev.wukong.serving.joining;

import dev.wukong.serving.joining.Example.Kind;
import dev.wukong.serving.joining.JoinMeters.LabelOutcome;
import dev.wukong.serving.joining.Slot.Opening;
import dev.wukong.serving.joining.Slot.Phase;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives out examples: as windows open, as they close, and as labels come. One thread, that of
 * training.
 */
final class Verdicts {
  private static final Logger log = LoggerFactory.getLogger(Verdicts.class);

  /** With fewer labels in time than that, too many positives are taken for negatives. */
  private static final double ENOUGH = 0.98;

  /** From fewer labels nothing can be said. */
  private static final double TELLING = 100;

  /** Windows that close so late were held, and many do at once. */
  private static final long LATE_MS = Duration.ofSeconds(5).toMillis();

  private static final long WARNINGS_APART_MS = Duration.ofMinutes(10).toMillis();

  private final Kept<ShownRows> shown;
  private final JoinProgress progress;
  private final double negatives;
  private final JoinMeters meters;
  private long warnedMs = Long.MIN_VALUE;

  /**
   * Verdicts on what was shown.
   *
   * @param negatives the share of them that is kept
   */
  Verdicts(Kept<ShownRows> shown, JoinProgress progress, double negatives, JoinMeters meters) {
    this.shown = shown;
    this.progress = progress;
    this.negatives = negatives;
    this.meters = meters;
  }

  /**
   * The window of a task opens; but for one that has opened already, before the task was given
   * another.
   *
   * @param timeMs by the caller's clock
   */
  void open(Subject subject, JoinTask task, long timeMs) {
    if (subject.candidate().slot(task.number()) != null) {
      return;
    }
    long by = subject.at().position();
    Slot slot = new Slot(Phase.OPEN, new Opening(by, subject.at().atMs(), timeMs));
    subject.candidate().put(task.number(), slot);
    subject.candidate().hold(by);
    task.open(subject.at().atMs());
    if (task.is(Weighting.FAKE_NEGATIVE) && progress.closes()) {
      close(subject, task, slot);
    }
    Waiting label = subject.followed().waiting(subject.candidate().position(), task.number());
    if (label != null) {
      boolean _ = subject.followed().waiting().remove(label);
      settle(subject, task, label);
    }
  }

  /** The window that an event opened closes; whether it was open. */
  boolean close(Subject subject, JoinTask task, long by) {
    Slot slot = subject.candidate().slot(task.number());
    if (slot == null || !slot.is(Phase.OPEN) || slot.opening().by() != by) {
      return false;
    }
    close(subject, task, slot);
    return true;
  }

  private void close(Subject subject, JoinTask task, Slot slot) {
    subject.candidate().put(task.number(), slot.in(Phase.CLOSED));
    task.shut();
    if (task.is(Weighting.EXPLICIT)) {
      return;
    }
    double weight = task.closedWeight(slot.opening(), subject.at().atMs());
    if (weight > 0) {
      long lateMs = subject.at().atMs() - slot.opening().atMs() - task.delayMs();
      giveNegative(subject, task, weight, lateMs <= LATE_MS);
    } else {
      meters.unpaired(task.name());
    }
  }

  /** The label of a task whose window has opened. */
  void settle(Subject subject, JoinTask task, Waiting label) {
    Slot slot = subject.candidate().slot(task.number());
    if (slot == null || slot.is(Phase.LABELLED)) {
      throw new IllegalStateException("no label of task '%s' is due".formatted(task.name()));
    }
    subject.candidate().put(task.number(), slot.in(Phase.LABELLED));
    if (slot.is(Phase.OPEN)) {
      task.shut();
    }
    boolean negated = slot.is(Phase.CLOSED) && !task.is(Weighting.EXPLICIT); // As a negative.
    boolean late = negated && !task.is(Weighting.FAKE_NEGATIVE);
    boolean taken = task.takesLabels(subject.at().atMs());
    meters.label(!taken ? LabelOutcome.UNPAIRED : late ? LabelOutcome.LATE : LabelOutcome.JOINED);
    if (label.value() > 0) {
      if (taken) {
        Kind kind = late ? Kind.LATE : Kind.POSITIVE;
        give(subject, task, kind, label.value(), (double) label.weight(), progress.closes());
      }
      learn(task, delayMs(slot.opening(), label), subject.at().atMs());
      for (JoinTask given : task.givenBy()) {
        open(subject, given, label.timeMs());
      }
    } else if (taken && !negated) {
      giveNegative(subject, task, (double) label.weight(), progress.closes());
    }
  }

  /** By the callers' clocks, but not more than between the two in the log. */
  private static long delayMs(Opening opening, Waiting label) {
    long most = Math.max(0, label.atMs() - opening.atMs());
    if (label.timeMs() <= opening.timeMs()) {
      return 0;
    }
    long delay = label.timeMs() - opening.timeMs();
    return delay < 0 ? most : Math.min(delay, most); // Clocks may be wrong by any time.
  }

  private void learn(JoinTask task, long delayMs, long nowMs) {
    task.learn(delayMs, nowMs);
    meters.delay(task.name(), Duration.ofMillis(delayMs));
    meters.within(task.name(), task.within());
    if (task.is(Weighting.PLAIN)
        && task.within() < ENOUGH
        && task.known() >= TELLING
        && nowMs - WARNINGS_APART_MS >= warnedMs) {
      warnedMs = nowMs;
      log.warn(
          "of the positive labels of task '{}' only {} % come within its window of {}: too many"
              + " positives are taken for negatives first",
          task.name(), Math.round(100 * task.within()), task.policy().window());
    }
  }

  private void giveNegative(Subject subject, JoinTask task, double weight, boolean timely) {
    ShownRows rows = negatives < 1 ? rows(subject) : null;
    if (rows == null
        || NegativeShare.keeps(rows.id(), subject.candidate().position(), task.name(), negatives)) {
      give(subject, task, Kind.NEGATIVE, 0, weight / negatives, timely);
    }
  }

  private void give(
      Subject subject, JoinTask task, Kind kind, float label, double weight, boolean timely) {
    meters.example(task.name(), kind);
    subject
        .examples()
        .accept(
            new Example(
                rows(subject).at(subject.scored(), subject.candidate().position()),
                task.index(),
                label,
                (float) weight,
                kind,
                task.policy().weighting(),
                task.within(),
                subject.at().atMs(),
                timely));
  }

  private ShownRows rows(Subject subject) {
    @Nullable ShownRows rows = shown.get(subject.scored());
    if (rows == null) {
      throw new IllegalStateException(
          "nothing is kept of what was shown of the prediction at " + subject.scored());
    }
    return rows;
  }
}
