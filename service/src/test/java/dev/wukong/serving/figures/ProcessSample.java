package dev.wukong.serving.figures;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * What the kernel said of a process at one moment of a long run.
 *
 * @param seconds since the run's start
 * @param swaps new versions that had been put into place by then
 * @param anonymous bytes of resident memory that no file stands behind
 * @param file bytes of resident memory that are pages of files
 */
record ProcessSample(
    double seconds, long swaps, long anonymous, long file, long handles, long threads) {
  /**
   * Growth of a count below this many a swap is none: that a pool takes one more thread once in a
   * run, and keeps it, is no leak.
   */
  private static final double LEAST = 1 / 20.0;

  long resident() {
    return anonymous + file;
  }

  /**
   * How fast a count grows, in units a swap; 0 where it does not.
   *
   * <p>The rule: the samples between one swap and the next make a cycle, and the least of them is
   * what the cycle leaves open: connections and threads that come and go only lift it where they
   * last. The line of {@link RobustLine} through these floors is the growth; a slope of less than
   * one in 20 swaps counts as 0, as a single step in the run makes, wherever it is. A leak of one
   * in 10 swaps has a slope of 0.1.
   */
  static double growth(List<ProcessSample> samples, ToDoubleFunction<ProcessSample> count) {
    List<List<ProcessSample>> cycles = cycles(samples);
    double[] swaps = new double[cycles.size()];
    double[] floors = new double[cycles.size()];
    for (int i = 0; i < swaps.length; i++) {
      swaps[i] = cycles.get(i).getFirst().swaps();
      floors[i] = cycles.get(i).stream().mapToDouble(count).min().orElseThrow();
    }
    double slope = RobustLine.through(swaps, floors).slope();
    return Math.abs(slope) < LEAST ? 0 : slope;
  }

  /**
   * How a size grows, by seconds: the line through the cycles' medians, as a load and what it
   * replaces lift memory for a moment in each of them.
   */
  static RobustLine line(List<ProcessSample> samples, ToDoubleFunction<ProcessSample> size) {
    List<List<ProcessSample>> cycles = cycles(samples);
    double[] seconds = new double[cycles.size()];
    double[] medians = new double[cycles.size()];
    for (int i = 0; i < seconds.length; i++) {
      List<ProcessSample> cycle = cycles.get(i);
      seconds[i] = cycle.stream().mapToDouble(ProcessSample::seconds).average().orElseThrow();
      double[] sizes = cycle.stream().mapToDouble(size).toArray();
      Arrays.sort(sizes);
      medians[i] = sizes[sizes.length / 2];
    }
    return RobustLine.through(seconds, medians);
  }

  private static List<List<ProcessSample>> cycles(List<ProcessSample> samples) {
    Map<Long, List<ProcessSample>> cycles = new TreeMap<>();
    samples.forEach(s -> cycles.computeIfAbsent(s.swaps(), _ -> new ArrayList<>()).add(s));
    return List.copyOf(cycles.values());
  }
}
