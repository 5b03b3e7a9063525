package dev.wukong.study;

import dev.wukong.report.Block;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Trials drawn at random, the best by the validation data first. */
final class SearchReport {
  private SearchReport() {}

  static List<Block> of(Study study, Groups groups) {
    List<Block> blocks = new ArrayList<>();
    Optional<Groups.Group> best = groups.best();
    blocks.add(new Block.Heading("Trials"));
    blocks.add(
        new Block.Paragraph(
            String.format(
                    Locale.ROOT,
                    "%d of %d trials have ended. ",
                    groups.all().size(),
                    study.trials())
                + best.map(
                        b ->
                            ModelParts.withTasks(
                                String.format(
                                    Locale.ROOT,
                                    "The best by the validation AUC (%.6f) is %s; its test AUC is"
                                        + " %.6f and its test LogLoss %.6f. The test data chose"
                                        + " nothing.",
                                    b.validAuc(),
                                    b.name(),
                                    b.mean(o -> o.of("test").auc()),
                                    b.mean(o -> o.of("test").logLoss())),
                                groups))
                    .orElse("")));
    blocks.add(table(study, groups));
    blocks.add(new Block.Heading("By dimension"));
    for (Dimension dimension : study.space()) {
      blocks.add(chart(dimension, groups));
    }
    blocks.add(new Block.Heading("Training"));
    blocks.add(ModelParts.curves(best.map(b -> new Groups(List.of(b), List.of())).orElse(groups)));
    return blocks;
  }

  private static Block table(Study study, Groups groups) {
    List<String> headings = new ArrayList<>(List.of("trial"));
    study.space().forEach(d -> headings.add((numbers(d) ? "#" : "") + d.key()));
    headings.addAll(
        List.of("#valid AUC", "#test AUC", "#test LogLoss", "#parameters", "#epochs", "#seconds"));
    List<List<String>> rows = new ArrayList<>();
    List<Groups.Group> ranked =
        groups.all().stream()
            .sorted(Comparator.comparingDouble(Groups.Group::validAuc).reversed())
            .toList();
    for (Groups.Group group : ranked) {
      List<String> row = new ArrayList<>(List.of(group.name()));
      study.space().forEach(d -> row.add(drawn(group, d)));
      row.add(Cells.number("%.6f", group.validAuc()));
      row.add(Cells.number("%.6f", group.mean(o -> o.of("test").auc())));
      row.add(Cells.number("%.6f", group.mean(o -> o.of("test").logLoss())));
      row.add(Cells.count(group.first().size().parameters()));
      row.add(Cells.number("%.1f", group.mean(o -> o.curve().size())));
      row.add(Cells.count(group.mean(o -> o.effort().seconds())));
      rows.add(row);
    }
    return new Block.Table(
        Cells.columns(headings.toArray(String[]::new)), rows, "The best validation AUC first.");
  }

  private static String drawn(Groups.Group group, Dimension dimension) {
    JsonNode value = group.spec().set().get(dimension.keys().getFirst());
    return value == null ? "" : value.isString() ? value.stringValue() : value.toString();
  }

  /** Validation AUC by the value drawn; choices that are no numbers stand at their place from 1. */
  private static Block chart(Dimension dimension, Groups groups) {
    List<Block.Point> points = new ArrayList<>();
    for (Groups.Group group : groups.all()) {
      JsonNode value = group.spec().set().get(dimension.keys().getFirst());
      if (value != null) {
        points.add(
            new Block.Point(
                place(dimension, value),
                group.validAuc(),
                Double.NaN,
                Double.NaN,
                group.name() + ": " + drawn(group, dimension)));
      }
    }
    boolean numbers = numbers(dimension);
    return new Block.Chart(
        dimension.key(),
        new Block.Axis(
            numbers ? dimension.key() : "choice",
            dimension instanceof Dimension.Range range && range.log()),
        new Block.Axis("validation AUC", false),
        List.of(new Block.Series("trials", Block.Mark.POINTS, points)),
        numbers ? "" : "Choices: " + names(dimension));
  }

  private static boolean numbers(Dimension dimension) {
    return switch (dimension) {
      case Dimension.Range _ -> true;
      case Dimension.Choices choices -> choices.values().stream().allMatch(JsonNode::isNumber);
    };
  }

  private static double place(Dimension dimension, JsonNode value) {
    return switch (dimension) {
      case Dimension.Range _ -> value.doubleValue();
      case Dimension.Choices choices ->
          numbers(dimension) ? value.doubleValue() : 1 + choices.values().indexOf(value);
    };
  }

  private static String names(Dimension dimension) {
    return switch (dimension) {
      case Dimension.Range _ -> "";
      case Dimension.Choices choices -> {
        List<String> names = new ArrayList<>();
        choices.values().forEach(v -> names.add((names.size() + 1) + " is " + v));
        yield String.join(", ", names);
      }
    };
  }
}
