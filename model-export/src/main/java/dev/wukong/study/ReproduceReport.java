package dev.wukong.study;

import dev.wukong.report.Block;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Models beside published figures. */
final class ReproduceReport {
  private ReproduceReport() {}

  static List<Block> of(Groups groups) {
    List<Block> blocks = new ArrayList<>();
    blocks.add(new Block.Heading("Test quality"));
    blocks.add(quality(groups));
    blocks.add(new Block.Paragraph(ModelParts.selection(groups)));
    if (groups.all().stream().anyMatch(g -> !g.spec().published().isEmpty())) {
      blocks.add(new Block.Heading("Beside published figures"));
      blocks.add(published(groups));
    }
    blocks.add(new Block.Heading("Training"));
    blocks.add(ModelParts.curves(groups));
    blocks.add(new Block.Heading("Calibration"));
    blocks.add(ModelParts.calibration(groups));
    if (groups.all().stream().anyMatch(g -> !g.first().detail().slices().isEmpty())) {
      blocks.addAll(slices(groups));
    }
    return blocks;
  }

  private static List<Block> slices(Groups groups) {
    List<Block> blocks = new ArrayList<>();
    groups
        .best()
        .ifPresent(
            best -> {
              blocks.add(new Block.Heading("Slices of the best model"));
              blocks.add(
                  new Block.Paragraph("The best by the validation AUC is " + best.name() + "."));
              blocks.add(ModelParts.slices(best));
            });
    blocks.add(new Block.Heading("Slices of all models"));
    blocks.addAll(ModelParts.slicesOfAll(groups));
    return blocks;
  }

  private static Block quality(Groups groups) {
    List<List<String>> rows = new ArrayList<>();
    Optional<Groups.Group> best = groups.best();
    for (Groups.Group group : groups.all()) {
      Outcome first = group.first();
      Optional<PairedInterval> behind =
          best.filter(b -> !b.name().equals(group.name())).flatMap(group::aucOver);
      rows.add(
          List.of(
              group.name(),
              String.valueOf(group.outcomes().size()),
              Cells.number("%.6f", group.validAuc()),
              Cells.spread(
                  "%.6f",
                  group.mean(o -> o.of("test").auc()), group.deviation(o -> o.of("test").auc())),
              behind.map(b -> Cells.interval("%+.6f", b)).orElse(""),
              Cells.spread(
                  "%.6f",
                  group.mean(o -> o.of("test").logLoss()),
                  group.deviation(o -> o.of("test").logLoss())),
              Cells.count(first.size().parameters()),
              Cells.number("%.2f", first.size().trainingFlops() / 1e6),
              Cells.number("%.1f", group.mean(o -> o.curve().size())),
              Cells.count(group.mean(o -> o.effort().seconds())),
              Cells.count(group.mean(o -> o.effort().examplesPerSecond()))));
    }
    return new Block.Table(
        Cells.columns(
            "run",
            "#seeds",
            "#valid AUC",
            "#test AUC",
            "#to the best",
            "#test LogLoss",
            "#parameters",
            "#MFLOP/example",
            "#epochs",
            "#seconds",
            "#examples/s"),
        rows,
        "Mean ± standard deviation over seeds. To the best: the AUC minus that of the run with the"
            + " best validation AUC, with the noise of the test rows (95 %). Parameters count"
            + " embedding rows, those of absent and unseen values included. MFLOP is the paper's"
            + " count: six for each multiply-add of a product.");
  }

  private static Block published(Groups groups) {
    List<List<String>> rows = new ArrayList<>();
    for (Groups.Group group : groups.all()) {
      double auc = group.mean(o -> o.of("test").auc());
      double logLoss = group.mean(o -> o.of("test").logLoss());
      for (Published published : group.spec().published()) {
        rows.add(
            List.of(
                group.name(),
                published.source(),
                Cells.spread("%.6f", published.auc(), published.aucDeviation()),
                Cells.number("%+.6f", auc - published.auc()),
                Cells.spread("%.6f", published.logLoss(), published.logLossDeviation()),
                Cells.number("%+.6f", logLoss - published.logLoss()),
                Cells.count(published.parameters()),
                Cells.number("%+,.0f", group.first().size().parameters() - published.parameters()),
                Cells.number("%.2f", published.mflop()),
                published.note()));
      }
    }
    return new Block.Table(
        Cells.columns(
            "run",
            "source",
            "#AUC",
            "#ours - theirs",
            "#LogLoss",
            "#ours - theirs",
            "#parameters",
            "#ours - theirs",
            "#MFLOP/example",
            "note"),
        rows,
        "Differences of the means over our seeds.");
  }
}
