package dev.wukong.cli;

import dev.wukong.proto.v1.TrainingStatus;
import java.io.PrintWriter;
import java.util.Locale;

/** What the quickstart shows of its traffic: a line now and then, and at the end what was seen. */
final class LiveTable {
  private static final MarkedLine SCALE = new MarkedLine(0.75, 1.05, 41);

  private final PrintWriter out;

  LiveTable(PrintWriter out) {
    this.out = out;
  }

  void header() {
    out.printf(
        "%7s %8s %5s %8s %8s %9s %8s %8s %8s  %s%n",
        "seconds",
        "requests",
        "ms",
        "drift",
        "learned",
        "version",
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
  void line(double seconds, double degrees, LiveTraffic traffic, TrainingStatus training) {
    double[] entropies = traffic.normalizedEntropies();
    out.printf(
        Locale.ROOT,
        "%7.0f %,8d %5.1f %7.0f° %,8d %9s %8.4f %8.4f %8.4f  %s%n",
        seconds,
        traffic.requests(),
        traffic.meanMillis(),
        degrees,
        training.getExamples(),
        traffic.version().getEpoch() + "." + traffic.version().getDense(),
        entropies[LiveTraffic.BEST],
        entropies[LiveTraffic.LEARNS],
        entropies[LiveTraffic.FROZEN],
        SCALE.of("BLF", entropies));
    out.flush();
  }

  /** What was seen, in words. */
  void summary(double degrees, LiveTraffic traffic) {
    double[] entropies = traffic.normalizedEntropies();
    double lacks = entropies[LiveTraffic.FROZEN] - entropies[LiveTraffic.BEST];
    double gains = entropies[LiveTraffic.FROZEN] - entropies[LiveTraffic.LEARNS];
    out.printf(
        Locale.ROOT,
        "%nSeen: tastes turned by %.0f degrees in %,d requests. Over the last %,d candidates the"
            + " frozen copy%nlacks %.4f to the best that any model can reach; the one that learns"
            + " has made up %.0f %% of it,%nwith %,d changes of its dense weights.%n",
        degrees,
        traffic.requests(),
        traffic.held(),
        lacks,
        100 * gains / lacks,
        traffic.version().getDense());
    out.flush();
  }
}
