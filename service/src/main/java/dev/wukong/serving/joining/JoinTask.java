package dev.wukong.serving.joining;

import dev.wukong.serving.joining.JoinProgress.TaskProgress;
import dev.wukong.serving.joining.Slot.Opening;
import java.util.ArrayList;
import java.util.List;

/** A task: how it makes examples, how far it has come and how late its labels are. One thread. */
final class JoinTask {
  /** Of fewer labels it is not said how late they come. */
  private static final double TELLING = 10;

  private final int index;
  private final int number;
  private final TaskPolicy policy;
  private final TaskProgress progress;
  private final DueQueue.Cursor cursor;
  private final long delayMs;
  private final long graceMs;
  private final DelayCurve curve;
  private final List<JoinTask> givenBy = new ArrayList<>();
  private double within;
  private boolean curveChanged;

  /**
   * A task.
   *
   * @param index among the tasks of the policy
   * @param number that it has at rest
   * @param delayMs how long after it opened a window closes
   * @param graceMs how much later than in time a label may come
   */
  JoinTask(
      int index,
      int number,
      TaskPolicy policy,
      long delayMs,
      long graceMs,
      TaskProgress progress,
      DueQueue.Cursor cursor,
      DelayCurve curve) {
    this.index = index;
    this.number = number;
    this.policy = policy;
    this.delayMs = delayMs;
    this.graceMs = graceMs;
    this.progress = progress;
    this.cursor = cursor;
    this.curve = curve;
    this.within = curve.share(policy.window().toMillis());
  }

  String name() {
    return progress.name();
  }

  int index() {
    return index;
  }

  int number() {
    return number;
  }

  TaskPolicy policy() {
    return policy;
  }

  boolean is(Weighting weighting) {
    return policy.weighting() == weighting;
  }

  DueQueue.Cursor cursor() {
    return cursor;
  }

  /** How long after it opened a window closes. */
  long delayMs() {
    return delayMs;
  }

  /** A window opens. */
  void open(long nowMs) {
    progress.waiting++;
    progress.flow.open(nowMs, delayMs);
  }

  /** Whether what has a label now is an example. */
  boolean takesLabels(long nowMs) {
    return is(Weighting.EXPLICIT) || progress.flow.takesLabels(nowMs, delayMs, graceMs);
  }

  /**
   * How much what has no label counts as an example when its window closes now; 0: it is none.
   * Where no windows open any more, positive examples get fewer, as fewer labels are still to come:
   * the others count less by the same share, or they would come alone at last.
   */
  double closedWeight(Opening opening, long nowMs) {
    if (!progress.flow.takesClosed(opening.atMs(), nowMs, delayMs, graceMs)) {
      return 0;
    }
    long ceasedMs = progress.flow.ceasedMs(nowMs, delayMs);
    return ceasedMs == 0 || curve.labels() < TELLING ? 1 : 1 - curve.share(ceasedMs);
  }

  /** The windows of what the cursor was at are closed. */
  void pass() {
    progress.passed = cursor.pass();
  }

  /** A window is open no more. */
  void shut() {
    progress.waiting--;
  }

  long waiting() {
    return progress.waiting;
  }

  /** Tasks that depend on a positive label of this one, in order. */
  List<JoinTask> givenBy() {
    return givenBy;
  }

  /** The share of positive labels that come within the window. */
  double within() {
    return within;
  }

  /** How many positive labels that is known from. */
  double known() {
    return curve.labels();
  }

  /** A positive label has come. */
  void learn(long delayMs, long nowMs) {
    curve.add(delayMs, nowMs);
    within = curve.share(policy.window().toMillis());
    curveChanged = true;
  }

  /** Whether the curve has changed since this was last asked. */
  boolean curveChanged() {
    boolean changed = curveChanged;
    curveChanged = false;
    return changed;
  }

  DelayCurve curve() {
    return curve;
  }
}
