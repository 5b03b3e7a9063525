package dev.wukong.serving.joining;

/**
 * Since when windows of a task open, without a long silence in between. A task that waits for
 * labels has its positive examples as they come and the others only when their windows close: one
 * kind alone comes at the beginning, the other at the end, and who learned from that would learn
 * that all are positive, or none. So there are examples only while both come, and where windows
 * have ceased to open it is known for how long, for positive examples get fewer then. One thread.
 */
final class Flow {
  /** It has never opened one. */
  private static final long NEVER = Long.MIN_VALUE;

  /** By so many times the widest gap of late a gap may be wider than that and still be usual. */
  private static final double USUAL = 2;

  /** So many times as long as a window waits a gap is remembered. */
  private static final double REMEMBERED = 8;

  private long beganMs;
  private long openedMs;
  private double widestMs;

  /** No window has opened yet. */
  Flow() {
    this(NEVER, NEVER, 0);
  }

  /**
   * As it was.
   *
   * @param beganMs when the first window after the last silence opened
   * @param openedMs when the last one did
   * @param widestMs the widest gap between two of late
   */
  Flow(long beganMs, long openedMs, double widestMs) {
    this.beganMs = beganMs;
    this.openedMs = openedMs;
    this.widestMs = widestMs;
  }

  long beganMs() {
    return beganMs;
  }

  long openedMs() {
    return openedMs;
  }

  double widestMs() {
    return widestMs;
  }

  /** It begins anew with the next window. */
  void forget() {
    beganMs = NEVER;
    openedMs = NEVER;
    widestMs = 0;
  }

  /**
   * A window opens.
   *
   * @param delayMs after which it closes; 0: at once, and both kinds always come
   */
  void open(long nowMs, long delayMs) {
    if (openedMs == NEVER || nowMs - openedMs > delayMs) {
      beganMs = nowMs;
      widestMs = 0;
    } else if (nowMs > openedMs) {
      double gapMs = (double) (nowMs - openedMs);
      widestMs = Math.max(gapMs, widestMs * (1 - gapMs / (REMEMBERED * (double) delayMs)));
    }
    openedMs = Math.max(openedMs, nowMs);
  }

  /** Whether what has a label now is an example: it is where windows without one close, too. */
  boolean takesLabels(long nowMs, long delayMs, long graceMs) {
    return delayMs == 0 || (nowMs - beganMs >= delayMs && !silent(nowMs, delayMs, graceMs));
  }

  /**
   * Whether what has no label is an example when its window closes: it is where those that opened
   * with it had theirs, and others open since.
   *
   * @param ofMs when the window opened
   */
  boolean takesClosed(long ofMs, long nowMs, long delayMs, long graceMs) {
    return delayMs == 0 || (ofMs >= beganMs && !silent(nowMs, delayMs, graceMs));
  }

  /** For how long none has opened although, by the gaps of late, one should have; 0: not at all. */
  long ceasedMs(long nowMs, long delayMs) {
    return delayMs == 0 ? 0 : Math.max(0, nowMs - openedMs - Math.round(USUAL * widestMs));
  }

  /** The last window should be closed for long, even where the log says the time late. */
  private boolean silent(long nowMs, long delayMs, long graceMs) {
    return nowMs - openedMs > delayMs + graceMs;
  }
}
