package dev.wukong.cli;

import dev.wukong.client.LearningProgress;
import java.io.PrintWriter;
import java.util.Locale;

/** What the quickstart shows of its traffic: a line now and then, and at the end what was seen. */
final class LiveTable {
  private static final MarkedLine SCALE = new MarkedLine(0.75, 1.20, 46);

  /** Of a smaller difference a share would be noise. */
  private static final double WORTH_A_SHARE = 0.02;

  private final PrintWriter out;

  LiveTable(PrintWriter out) {
    this.out = out;
  }

  /** What the columns are called. */
  void header() {
    legend();
    out.printf(
        "%7s %8s %6s %7s %9s %7s %8s %8s %8s  %s%n",
        "seconds",
        "requests",
        "ms",
        "degrees",
        "learned",
        "changes",
        "NE best",
        "learns",
        "frozen",
        SCALE.header());
    out.flush();
  }

  /**
   * A line.
   *
   * @param degrees by which the world has turned
   */
  void line(double seconds, double degrees, LiveTraffic traffic, LearningProgress training) {
    double[] entropies = traffic.normalizedEntropies();
    out.printf(
        Locale.ROOT,
        "%7.0f %,8d %6.1f %7.0f %,9d %,7d %8.4f %8.4f %8.4f  %s%n",
        seconds,
        traffic.requests(),
        traffic.meanMillis(),
        degrees,
        training.examples(),
        traffic.dense(),
        entropies[LiveTraffic.BEST],
        entropies[LiveTraffic.LEARNS],
        entropies[LiveTraffic.FROZEN],
        SCALE.of("BLF", entropies));
    halted(training);
    out.flush();
  }

  private void legend() {
    out.printf(
        "   degrees: how far tastes have turned; learned: examples; changes: of the served dense"
            + " weights;%n   NE: normalized entropy of the last %,d candidates' clicks, lower is"
            + " better, of B: the true probabilities, L: the model that learns, F: its frozen"
            + " copy%n",
        LiveTraffic.WINDOW);
  }

  /** Says that training no longer goes on, where that is so. */
  private void halted(LearningProgress training) {
    if (training.halted()) {
      out.printf("   training has halted: %s%n", training.reason());
    }
  }

  /** What was seen, in words. */
  void summary(double degrees, LiveTraffic traffic) {
    if (traffic.requests() == 0) {
      return;
    }
    double[] entropies = traffic.normalizedEntropies();
    double best = entropies[LiveTraffic.BEST];
    double learns = entropies[LiveTraffic.LEARNS];
    double frozen = entropies[LiveTraffic.FROZEN];
    out.printf(
        Locale.ROOT,
        "%nSeen: tastes turned by %.0f degrees in %,d requests, and the dense weights that serve"
            + " changed %,d times.%nNE over the last %,d candidates: best %.4f, learns %.4f,"
            + " frozen %.4f.%n",
        degrees,
        traffic.requests(),
        traffic.dense(),
        traffic.held(),
        best,
        learns,
        frozen);
    if (frozen - best > WORTH_A_SHARE) {
      out.printf(
          Locale.ROOT,
          "Learning makes up %.0f %% of what the frozen copy lacks.%n",
          100 * (frozen - learns) / (frozen - best));
    }
    out.flush();
  }
}
