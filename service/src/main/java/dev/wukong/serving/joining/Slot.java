package dev.wukong.serving.joining;

/**
 * How it stands with a task of a candidate, from when its window opened.
 *
 * @param phase what happened since
 * @param opening how that was
 */
record Slot(Phase phase, Opening opening) {
  /** What happened since the window opened. */
  enum Phase {
    /** Nothing. */
    OPEN,
    /** It closed, and there was no label. */
    CLOSED,
    /** There was one: no other counts. */
    LABELLED
  }

  /**
   * How a window opened.
   *
   * @param by position in the log of the event that opened it
   * @param atMs time in the log of that event
   * @param timeMs when, by the caller's clock, what opens it happened
   */
  record Opening(long by, long atMs, long timeMs) {}

  boolean is(Phase other) {
    return phase == other;
  }

  Slot in(Phase other) {
    return new Slot(other, opening);
  }
}
