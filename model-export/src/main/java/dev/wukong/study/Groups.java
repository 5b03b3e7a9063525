package dev.wukong.study;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The outcomes of a study by run, its seeds together, in the study's order.
 *
 * @param failures runs without an outcome, for good or until the next start
 */
record Groups(List<Group> all, List<Failure> failures) {

  /**
   * One run with all its seeds that have ended.
   *
   * @param outcomes by ascending seed, at least one
   */
  record Group(RunSpec spec, List<Outcome> outcomes) {
    String name() {
      return spec.name();
    }

    /** The outcome of the lowest seed: whatever is the same with all seeds. */
    Outcome first() {
      return outcomes.getFirst();
    }

    double mean(ToDoubleFunction<Outcome> figure) {
      return outcomes.stream().mapToDouble(figure).average().orElse(Double.NaN);
    }

    /** The standard deviation over seeds, divided by one less than there are; NaN for one. */
    double deviation(ToDoubleFunction<Outcome> figure) {
      double mean = mean(figure);
      double squares =
          outcomes.stream().mapToDouble(o -> figure.applyAsDouble(o) - mean).map(d -> d * d).sum();
      return outcomes.size() < 2 ? Double.NaN : Math.sqrt(squares / (outcomes.size() - 1));
    }

    double validAuc() {
      return mean(Outcome::validAuc);
    }

    /** Whether both were tested by the same task of the same rows, and compare block by block. */
    boolean comparable(Group other) {
      Outcome its = other.first();
      return first().task().equals(its.task())
          && first().identity().testRows().equals(its.identity().testRows());
    }

    /** How much higher this one's test AUC is than {@code other}'s, where that can be told. */
    Optional<PairedInterval> aucOver(Group other) {
      boolean known =
          comparable(other)
              && Stream.of(this, other)
                  .flatMap(g -> g.outcomes().stream())
                  .allMatch(o -> o.detail().blocks().placements().sums().length > 1);
      return known
          ? Optional.of(
              PairedInterval.ofAuc(
                  blocks(b -> b.placements().sums()),
                  other.blocks(b -> b.placements().sums()),
                  blocks(b -> b.placements().shares())))
          : Optional.empty();
    }

    /** The seeds' mean of one block sum, by block; empty where a seed has none. */
    double[] blocks(Function<Blocks, double[]> sums) {
      double[] total = new double[sums.apply(first().detail().blocks()).length];
      for (Outcome outcome : outcomes) {
        double[] own = sums.apply(outcome.detail().blocks());
        if (own.length != total.length) {
          return new double[0];
        }
        for (int b = 0; b < total.length; b++) {
          total[b] += own[b] / outcomes.size();
        }
      }
      return total;
    }
  }

  static Groups of(Study study, List<Result> results) {
    Map<String, List<Outcome>> byRun = new LinkedHashMap<>();
    List<Failure> failures = new ArrayList<>();
    for (Result result : results) {
      switch (result) {
        case Outcome outcome ->
            byRun.computeIfAbsent(outcome.identity().run(), _ -> new ArrayList<>()).add(outcome);
        case Failure failure -> failures.add(failure);
      }
    }
    List<Group> groups = new ArrayList<>();
    for (RunSpec spec : Plan.specs(study, List.of())) {
      List<Outcome> own = byRun.getOrDefault(spec.name(), List.of());
      if (!own.isEmpty()) {
        groups.add(
            new Group(
                spec,
                own.stream().sorted(Comparator.comparingInt(o -> o.identity().seed())).toList()));
      }
    }
    return new Groups(List.copyOf(groups), List.copyOf(failures));
  }

  /**
   * The best by the validation data alone, of those that no seed made fail; of equal ones, the
   * first.
   */
  Optional<Group> best() {
    Set<String> failed = failures.stream().map(f -> f.identity().run()).collect(Collectors.toSet());
    return all.stream()
        .filter(g -> Double.isFinite(g.validAuc()) && !failed.contains(g.name()))
        .reduce((a, b) -> b.validAuc() > a.validAuc() ? b : a);
  }
}
