package dev.wukong.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Whether a series of ever larger runs keeps getting better, and whether other models are better at
 * its sizes. Of a study whose truth is known: quality is the excess entropy.
 *
 * @param decades the decimal logarithm of the largest run's FLOPs an example by the smallest's
 * @param falls whether each run is better than the next smaller one by more than its paired 95 %
 *     interval
 * @param onFrontier whether no run of another model, tested on the same rows, is as good with at
 *     most as many FLOPs as any run of the series
 * @param steps what was compared, in words
 */
public record Scaling(double decades, boolean falls, boolean onFrontier, List<String> steps) {
  public Scaling {
    steps = List.copyOf(steps);
  }

  /**
   * The series {@code series} among the results of {@code study}.
   *
   * @throws IllegalArgumentException where it has fewer than two runs that ended
   */
  public static Scaling of(Study study, List<Result> results, String series) {
    Groups groups = Groups.of(study, results);
    List<Groups.Group> own =
        ModelParts.by(
            groups.all().stream().filter(g -> g.spec().series().equals(series)).toList(),
            Scaling::flops);
    if (own.size() < 2) {
      throw new IllegalArgumentException(
          "series '%s' has %d runs that ended, want at least 2".formatted(series, own.size()));
    }
    boolean falls = true;
    boolean onFrontier = true;
    List<String> steps = new ArrayList<>();
    for (int i = 0; i < own.size(); i++) {
      Groups.Group run = own.get(i);
      StringBuilder step = new StringBuilder();
      step.append(
          String.format(
              Locale.ROOT, "%s %.3f MFLOP %.6f", run.name(), flops(run) / 1e6, excess(run)));
      if (i > 0) {
        if (!run.comparable(own.get(i - 1))) {
          throw new IllegalArgumentException(
              "runs '%s' and '%s' of series '%s' were tested on other rows, want the same"
                  .formatted(own.get(i - 1).name(), run.name(), series));
        }
        PairedInterval change = SweepReport.paired(run, own.get(i - 1), true);
        falls &= change.high() < 0;
        step.append(
            String.format(
                Locale.ROOT,
                " (%+.6f, %+.6f to %+.6f)",
                change.mean(),
                change.low(),
                change.high()));
      }
      for (Groups.Group other : groups.all()) {
        boolean rival =
            !type(other).equals(type(run))
                && other.comparable(run)
                && flops(other) <= flops(run)
                && excess(other) <= excess(run);
        if (rival) {
          onFrontier = false;
          step.append(
              String.format(
                  Locale.ROOT,
                  ", behind %s %.3f MFLOP %.6f",
                  other.name(),
                  flops(other) / 1e6,
                  excess(other)));
        }
      }
      steps.add(step.toString());
    }
    double decades = Math.log10(flops(own.getLast()) / flops(own.getFirst()));
    return new Scaling(decades, falls, onFrontier, steps);
  }

  private static double flops(Groups.Group group) {
    return (double) group.first().size().trainingFlops();
  }

  private static double excess(Groups.Group group) {
    return group.mean(o -> o.detail().excessEntropy());
  }

  private static String type(Groups.Group group) {
    return group.first().identity().model().path("type").asString();
  }
}
