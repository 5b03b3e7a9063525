package dev.wukong.serving.retraining;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * How many labels of a task come of how many exposed candidates, later ones counting more, and
 * whether they still do. One thread.
 */
final class LabelFlow {
  /** After so long, what was counts half as much. */
  private static final double HALF_MS = Duration.ofMinutes(30).toMillis();

  /** Labels from which a rate is known. */
  private static final double KNOWN = 30;

  /** Expected and not come: a chance of one in 160,000. */
  private static final double CHANCE = 12;

  /** So long none may come, and so long some must, whatever the rate. */
  private static final long LEAST_MS = Duration.ofSeconds(10).toMillis();

  /** They come again once there are so many, and ... */
  private static final double SOME = 3;

  /** ... this part of what was usual. */
  private static final double PLAUSIBLE = 0.25;

  private static final long SECOND_MS = 1_000;

  /** Candidates and labels since a time. */
  private static final class Span {
    private final long fromMs;
    private double exposed;

    /** Candidates that have been waiting for long enough. */
    private double due;

    private double labels;

    Span(long fromMs) {
      this.fromMs = fromMs;
    }
  }

  /** Candidates exposed in the second that begins then, whose labels may be on their way. */
  private record Shown(long atMs, int candidates) {}

  private final String task;
  private final long patienceMs;
  private final Deque<Shown> young = new ArrayDeque<>();

  /** Candidates and labels of a usual time, the later ones counting more. */
  private double usualExposed;

  private double usualLabels;
  private long nowMs;

  /** When the last label came. */
  private long silentMs;

  /** Candidates exposed since that have been waiting for long enough. */
  private double ripe;

  /** Since labels have come again. */
  private Span again = new Span(0);

  private boolean missing;

  /**
   * One of which nothing is known.
   *
   * @param patienceMs so long labels may be missing at least
   */
  LabelFlow(String task, long patienceMs) {
    this.task = task;
    this.patienceMs = Math.max(LEAST_MS, patienceMs);
  }

  String task() {
    return task;
  }

  void exposed(long atMs, int candidates) {
    usualExposed += missing ? 0 : candidates;
    again.exposed += candidates;
    Shown last = young.peekLast();
    if (last != null && atMs - last.atMs() < SECOND_MS) {
      young.removeLast();
      young.add(new Shown(last.atMs(), last.candidates() + candidates));
    } else {
      young.add(new Shown(atMs, candidates));
    }
  }

  void labelled(long atMs) {
    usualLabels += missing ? 0 : 1;
    silent(atMs);
    if (again.labels == 0) {
      again = new Span(atMs);
    }
    again.labels++;
  }

  /** No label has come since. */
  private void silent(long fromMs) {
    silentMs = fromMs;
    ripe = 0;
  }

  /** Time has come to {@code toMs}. */
  void pass(long toMs) {
    if (nowMs == 0) {
      silent(toMs);
      again = new Span(toMs);
    } else if (!missing && toMs > nowMs) { // What is usual does not change by what is not.
      double part = Math.pow(0.5, (toMs - nowMs) / HALF_MS);
      usualExposed *= part;
      usualLabels *= part;
    }
    nowMs = toMs;
    for (Shown first = young.peek();
        first != null && toMs - first.atMs() >= patienceMs;
        first = young.peek()) {
      ripe += first.atMs() >= silentMs ? first.candidates() : 0;
      again.due += first.candidates();
      young.remove();
    }
    if (!missing) {
      missing = usualLabels >= KNOWN && toMs - silentMs >= patienceMs && rate() * ripe > CHANCE;
      if (missing) {
        again = new Span(toMs);
      }
    } else if (flows()) {
      missing = false;
    } else if (again.labels > 0 && toMs - again.fromMs >= LEAST_MS && expected(again) > CHANCE) {
      again = new Span(toMs); // Some came, and not enough.
    }
  }

  /**
   * Labels that were to come. Where many more candidates come than before, the labels of most are
   * on their way; where no more come, those of most are there already.
   */
  private double expected(Span span) {
    return rate() * Math.min(span.due, span.exposed);
  }

  /** Labels of a candidate, of late. */
  private double rate() {
    return usualLabels / Math.max(1, usualExposed);
  }

  /** Whether labels come as they used to. */
  boolean flows() {
    return nowMs - again.fromMs >= LEAST_MS
        && again.labels >= Math.max(SOME, PLAUSIBLE * expected(again));
  }

  boolean missing() {
    return missing;
  }

  /** For operators. */
  String reason() {
    if (again.labels > 0) {
      return "labels of task '%s' come again, not yet as many as usual".formatted(task);
    }
    return String.format(
        Locale.ROOT,
        "labels of task '%s' are missing: for %.0f s none has come, %.0f were to be expected",
        task,
        (double) (nowMs - silentMs) / 1000,
        rate() * ripe);
  }
}
