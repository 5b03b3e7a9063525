package dev.wukong.serving.joining;

/**
 * An example to learn from.
 *
 * @param shown what was shown
 * @param task its index in {@link JoinPolicy#tasks}
 * @param label 0 to 1
 * @param weight that of the label, and of the negatives that this one is kept for
 * @param kind how it came about
 * @param weighting how its task makes up for labels that come late
 * @param within the share of the task's positive labels that come within its window, as it was
 *     known then
 * @param atMs time in the log of the event that it came out at
 * @param timely whether those that come out about then are a fair sample: not while negatives are
 *     held, and not of those that come late for that
 */
public record Example(
    Shown shown,
    int task,
    float label,
    float weight,
    Kind kind,
    Weighting weighting,
    double within,
    long atMs,
    boolean timely) {
  /** How an example came about. */
  public enum Kind {
    /** By a positive label. */
    POSITIVE,
    /** By a label of 0, or by none until the window was over. */
    NEGATIVE,
    /** By a positive label, after it had been a negative. */
    LATE
  }
}
