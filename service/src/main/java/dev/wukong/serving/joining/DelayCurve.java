package dev.wukong.serving.joining;

import java.time.Duration;
import java.util.Arrays;

/**
 * How late the positive labels of a task come: a histogram of their delays, four steps for each
 * doubling, in which a label counts half as much every day. One thread.
 */
final class DelayCurve {
  private static final int FORM = 2;
  private static final long DAY_MS = Duration.ofDays(1).toMillis();

  /** Below it the steps hardly grow; windows are longer, or the first step would say too little. */
  private static final double UNIT_MS = 100;

  private static final int QUARTERS = 4;

  /** Some years. */
  private static final int STEPS = QUARTERS * 31;

  private final double[] labels = new double[STEPS];
  private long day;

  /** Counts a label. */
  void add(long delayMs, long nowMs) {
    long today = Math.floorDiv(nowMs, DAY_MS);
    // In powers of 2, which lose nothing: the same on every machine, however it is cut.
    int halves = (int) Math.min(Double.MAX_EXPONENT, today - day);
    for (int step = 0; halves > 0 && step < STEPS; step++) {
      labels[step] = Math.scalb(labels[step], -halves);
    }
    day = today;
    labels[step(delayMs)]++;
  }

  private static int step(long delayMs) {
    double units = 1 + (double) delayMs / UNIT_MS;
    int doublings = Math.getExponent(units);
    int quarter = (int) ((Math.scalb(units, -doublings) - 1) * QUARTERS);
    return Math.min(STEPS - 1, QUARTERS * doublings + quarter);
  }

  /** The least delay of a step, or the least that is too long for the one before. */
  private static double fromMs(int step) {
    double units = Math.scalb(1 + (double) (step % QUARTERS) / QUARTERS, step / QUARTERS);
    return (units - 1) * UNIT_MS;
  }

  /** How many labels it knows, each as much as it counts today. */
  double labels() {
    return Arrays.stream(labels).sum();
  }

  /** The share of labels that come within a time; 1 where none is known. */
  double share(long withinMs) {
    double all = labels();
    if (all == 0) {
      return 1;
    }
    int last = step(withinMs);
    double within = 0;
    for (int step = 0; step < last; step++) {
      within += labels[step];
    }
    double from = fromMs(last);
    double part = Math.min(1, ((double) withinMs - from) / (fromMs(last + 1) - from));
    return (within + part * labels[last]) / all;
  }

  byte[] bytes() {
    ValueWriter to = new ValueWriter(FORM);
    to.number(day);
    to.number(STEPS);
    for (double count : labels) {
      to.fraction(count);
    }
    return to.bytes();
  }

  /** What {@link #bytes} made. */
  static DelayCurve of(byte[] bytes) {
    ValueReader from = new ValueReader("a curve of delays", bytes, FORM);
    DelayCurve curve = new DelayCurve();
    curve.day = from.number();
    int steps = from.count(Double.BYTES);
    if (steps != STEPS) {
      throw from.damaged("%d steps, must be %d".formatted(steps, STEPS));
    }
    for (int step = 0; step < STEPS; step++) {
      curve.labels[step] = from.fraction();
    }
    from.end();
    return curve;
  }
}
