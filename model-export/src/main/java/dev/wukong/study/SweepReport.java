package dev.wukong.study;

import dev.wukong.report.Block;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** How test quality grows with what a model costs. */
final class SweepReport {
  /**
   * A test figure.
   *
   * @param noise the same with the interval that the test rows leave; its ends are NaN where there
   *     is none
   */
  private record Quality(
      String name,
      ToDoubleFunction<Groups.Group> of,
      Function<Groups.Group, PairedInterval> noise) {}

  private static final Quality EXCESS =
      new Quality(
          "excess entropy in nats",
          g -> g.mean(o -> o.detail().excessEntropy()),
          g -> PairedInterval.of(g.blocks(Blocks::excess), g.blocks(Blocks::rows)));

  private static final Quality LOG_LOSS =
      new Quality(
          "test LogLoss in nats",
          g -> g.mean(o -> o.of("test").logLoss()),
          g -> PairedInterval.of(g.blocks(Blocks::logLoss), g.blocks(Blocks::weights)));

  private static final Quality AUC =
      new Quality(
          "test AUC",
          g -> g.mean(o -> o.of("test").auc()),
          g ->
              PairedInterval.ofAuc(
                  g.blocks(b -> b.placements().sums()), g.blocks(b -> b.placements().shares())));

  private record Cost(String name, ToDoubleFunction<Groups.Group> of) {}

  private static final List<Cost> COSTS =
      List.of(
          new Cost("training MFLOP/example", g -> g.first().size().trainingFlops() / 1e6),
          new Cost("parameters", g -> (double) g.first().size().parameters()),
          new Cost("training compute in PF-days", g -> g.mean(Outcome::petaflopDays)),
          new Cost("examples seen", g -> g.mean(o -> (double) o.effort().examples())));

  private SweepReport() {}

  static List<Block> of(Groups groups) {
    boolean truth = groups.all().stream().allMatch(g -> g.first().detail().blocks().excessKnown());
    Quality main = truth ? EXCESS : LOG_LOSS;
    List<Block> blocks = new ArrayList<>();
    blocks.add(new Block.Heading("Quality"));
    blocks.add(new Block.Paragraph(frontier(groups, main)));
    blocks.add(table(groups, truth));
    for (Cost cost : COSTS) {
      blocks.add(chart(groups, cost, main, truth));
    }
    if (!truth) {
      for (Cost cost : COSTS) {
        blocks.add(chart(groups, cost, AUC, false));
      }
    }
    blocks.add(new Block.Paragraph(ModelParts.selection(groups)));
    blocks.add(new Block.Heading("Training"));
    blocks.add(ModelParts.curves(groups));
    // Of all runs the lines would lie on top of each other.
    List<Groups.Group> best = frontier(groups.all(), COSTS.getFirst().of(), main.of());
    blocks.add(new Block.Heading("Calibration of the runs on the frontier"));
    blocks.add(ModelParts.calibration(new Groups(best, List.of())));
    return blocks;
  }

  /**
   * The runs that no other, tested on the same rows, beats in cost and quality at once; the
   * cheapest first.
   */
  static List<Groups.Group> frontier(
      List<Groups.Group> groups,
      ToDoubleFunction<Groups.Group> cost,
      ToDoubleFunction<Groups.Group> quality) {
    return ModelParts.by(groups, cost).stream()
        .filter(
            g ->
                groups.stream()
                    .noneMatch(
                        other ->
                            other.comparable(g)
                                && cost.applyAsDouble(other) <= cost.applyAsDouble(g)
                                && quality.applyAsDouble(other) <= quality.applyAsDouble(g)
                                && (cost.applyAsDouble(other) < cost.applyAsDouble(g)
                                    || quality.applyAsDouble(other) < quality.applyAsDouble(g))))
        .toList();
  }

  private static String frontier(Groups groups, Quality quality) {
    Cost compute = COSTS.getFirst();
    return "The Pareto frontier of "
        + quality.name()
        + " against "
        + compute.name()
        + " (no other run on the same test rows is as cheap and as good): "
        + frontier(groups.all(), compute.of(), quality.of()).stream()
            .map(
                g ->
                    String.format(
                        Locale.ROOT,
                        "%s (%.3f MFLOP, %.6f)",
                        g.name(),
                        compute.of().applyAsDouble(g),
                        quality.of().applyAsDouble(g)))
            .collect(Collectors.joining(", "))
        + ".";
  }

  /**
   * The run of the same series next below in training compute, by run: in FLOPs an example, in the
   * number of examples, or both. None where that run was tested on other rows.
   */
  private static Map<String, Groups.Group> smaller(Groups groups) {
    Map<String, Groups.Group> lastOf = new LinkedHashMap<>();
    Map<String, Groups.Group> result = new LinkedHashMap<>();
    for (Groups.Group group : ModelParts.by(groups.all(), g -> g.mean(Outcome::petaflopDays))) {
      String series = group.spec().series();
      Groups.Group before = lastOf.get(series);
      if (before != null
          && !series.isEmpty()
          && group.mean(Outcome::petaflopDays) > before.mean(Outcome::petaflopDays)
          && group.comparable(before)) {
        result.put(group.name(), before);
      }
      lastOf.put(series, group);
    }
    return result;
  }

  private static Block table(Groups groups, boolean truth) {
    Map<String, Groups.Group> smaller = smaller(groups);
    List<List<String>> rows = new ArrayList<>();
    for (Groups.Group group : ModelParts.by(groups.all(), COSTS.getFirst().of())) {
      Groups.Group before = smaller.get(group.name());
      rows.add(
          List.of(
              group.name(),
              group.spec().series(),
              String.valueOf(group.outcomes().size()),
              Cells.number("%.3f", group.first().size().trainingFlops() / 1e6),
              Cells.count(group.first().size().parameters()),
              Cells.number("%.3g", group.mean(Outcome::petaflopDays)),
              Cells.count(group.mean(o -> (double) o.effort().examples())),
              Cells.number("%.6f", group.mean(o -> o.of("test").auc())),
              Cells.number("%.6f", group.mean(o -> o.of("test").logLoss())),
              Cells.number("%.6f", group.mean(o -> o.detail().excessEntropy())),
              before == null ? "" : Cells.interval("%+.6f", paired(group, before, truth)),
              before == null ? "" : before.name()));
    }
    return new Block.Table(
        Cells.columns(
            "run",
            "series",
            "#seeds",
            "#MFLOP/example",
            "#parameters",
            "#PF-days",
            "#examples seen",
            "#test AUC",
            "#test LogLoss",
            "#excess entropy",
            "#change",
            "from"),
        rows,
        (truth ? "The change is of the excess entropy" : "The change is of the LogLoss")
            + " in nats from the next smaller run of the series, on the same test rows, with its"
            + " 95 % interval over blocks of rows; below 0 is better. MFLOP and PF-days are of"
            + " training, six FLOPs for each multiply-add of a product.");
  }

  static PairedInterval paired(Groups.Group group, Groups.Group before, boolean truth) {
    return truth
        ? PairedInterval.of(
            group.blocks(Blocks::excess),
            before.blocks(Blocks::excess),
            before.blocks(Blocks::rows))
        : PairedInterval.of(
            group.blocks(Blocks::logLoss),
            before.blocks(Blocks::logLoss),
            before.blocks(Blocks::weights));
  }

  private static Block chart(Groups groups, Cost cost, Quality quality, boolean log) {
    Map<String, List<Block.Point>> series = new LinkedHashMap<>();
    for (Groups.Group group : ModelParts.by(groups.all(), cost.of())) {
      String name = group.spec().series().isEmpty() ? group.name() : group.spec().series();
      PairedInterval noise = quality.noise().apply(group);
      series
          .computeIfAbsent(name, _ -> new ArrayList<>())
          .add(
              new Block.Point(
                  cost.of().applyAsDouble(group),
                  quality.of().applyAsDouble(group),
                  noise.low(),
                  noise.high(),
                  group.name()));
    }
    return new Block.Chart(
        quality.name() + " by " + cost.name(),
        new Block.Axis(cost.name(), true),
        new Block.Axis(quality.name(), log),
        series.entrySet().stream()
            .map(e -> new Block.Series(e.getKey(), Block.Mark.LINE_AND_POINTS, e.getValue()))
            .toList(),
        "Bars are the 95 % intervals that the test rows leave; what all models find hard is in"
            + " them, so that differences (in the table) are known better.");
  }
}
