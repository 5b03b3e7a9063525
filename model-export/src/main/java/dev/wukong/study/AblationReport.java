package dev.wukong.study;

import dev.wukong.report.Block;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What each part of a model is worth: the first run is the whole. */
final class AblationReport {
  private AblationReport() {}

  static List<Block> of(Study study, Groups groups) {
    String name = study.runs().getFirst().name();
    List<Block> blocks = new ArrayList<>();
    groups.all().stream()
        .filter(g -> g.name().equals(name))
        .findFirst()
        .ifPresentOrElse(
            whole -> blocks.addAll(compared(groups, whole)),
            () -> blocks.add(new Block.Paragraph(missing(groups, name))));
    blocks.add(new Block.Heading("Training"));
    blocks.add(ModelParts.curves(groups));
    blocks.add(new Block.Heading("Calibration"));
    blocks.add(ModelParts.calibration(groups));
    return blocks;
  }

  private static String missing(Groups groups, String whole) {
    return groups.failures().stream().anyMatch(f -> f.identity().run().equals(whole))
        ? "There is nothing to compare with: " + whole + " failed."
        : "There is nothing to compare with yet: " + whole + " has not ended.";
  }

  private static List<Block> compared(Groups groups, Groups.Group whole) {
    List<Block> blocks = new ArrayList<>();
    blocks.add(new Block.Heading("What is lost"));
    blocks.add(losses(groups, whole));
    blocks.add(
        new Block.Paragraph(
            "Compared with "
                + whole.name()
                + " on the same test rows, block by block: the intervals hold the noise of these"
                + " rows (95 %), not that of seeds. LogLoss depends on how overconfident a model is"
                + " in the epoch that the validation data chose: by it parts are not ranked. "
                + ModelParts.selection(groups)));
    blocks.add(
        new Block.Paragraph(
            "By the test AUC, from the least lost to the most: "
                + ModelParts.by(groups.all(), g -> -g.mean(o -> o.of("test").auc())).stream()
                    .map(Groups.Group::name)
                    .collect(Collectors.joining(", "))
                + "."));
    return blocks;
  }

  private static Block losses(Groups groups, Groups.Group whole) {
    double reference = whole.mean(o -> o.of("test").logLoss());
    List<List<String>> rows = new ArrayList<>();
    for (Groups.Group group : groups.all()) {
      boolean itself = group.name().equals(whole.name());
      Optional<PairedInterval> auc = itself ? Optional.empty() : group.aucOver(whole);
      Optional<PairedInterval> change =
          itself || !group.comparable(whole)
              ? Optional.empty()
              : Optional.of(relative(group, whole, reference));
      rows.add(
          List.of(
              group.name(),
              String.valueOf(group.outcomes().size()),
              Cells.spread(
                  "%.6f",
                  group.mean(o -> o.of("test").auc()), group.deviation(o -> o.of("test").auc())),
              Cells.spread(
                  "%.6f",
                  group.mean(o -> o.of("test").logLoss()),
                  group.deviation(o -> o.of("test").logLoss())),
              auc.map(c -> Cells.interval("%+.6f", c)).orElse(""),
              auc.map(c -> c.excludesZero() ? "yes" : "no").orElse(""),
              change.map(c -> Cells.interval("%+.3f", c)).orElse(""),
              Cells.count(group.first().size().parameters()),
              group.spec().published().stream()
                  .map(p -> (p.source() + ": " + p.note()).strip())
                  .collect(Collectors.joining("; "))));
    }
    return new Block.Table(
        Cells.columns(
            "run",
            "#seeds",
            "#test AUC",
            "#test LogLoss",
            "#AUC change",
            "beyond the rows' noise",
            "#LogLoss change in %",
            "#parameters",
            "published"),
        rows,
        "A negative change is a worse AUC, a positive one a worse LogLoss. Mean ± standard"
            + " deviation over seeds.");
  }

  /** The change of the LogLoss in per cent of the whole model's. */
  static PairedInterval relative(Groups.Group group, Groups.Group whole, double reference) {
    return PairedInterval.of(
            group.blocks(Blocks::logLoss),
            whole.blocks(Blocks::logLoss),
            whole.blocks(Blocks::weights))
        .times(100 / reference);
  }
}
