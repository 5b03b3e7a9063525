package dev.wukong.study;

import dev.wukong.metrics.Measure;
import dev.wukong.metrics.Watch;
import dev.wukong.report.Block;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** Parts of a report on models: learning curves, calibration, slices. */
final class ModelParts {
  private ModelParts() {}

  private static final String SELECTION =
      "The state of every model is that of its best epoch by the validation data; learning rates"
          + " and the end of training follow it too. The test data was scored at the end.";

  /** How states were chosen, and of which task figures are where there are several. */
  static String selection(Groups groups) {
    return withTasks(SELECTION, groups);
  }

  /** {@code text}, and a sentence on {@link #tasks}. */
  static String withTasks(String text, Groups groups) {
    return tasks(groups).map(tasks -> text + " " + tasks).orElse(text);
  }

  /** Of which task figures are, where there are several. */
  static Optional<String> tasks(Groups groups) {
    return groups.all().stream()
        .map(Groups.Group::first)
        .findFirst()
        .filter(first -> first.test().size() > 1)
        .map(
            first ->
                "Validation AUC is %s; test figures are of task '%s'."
                    .formatted(
                        first.watch().isMean()
                            ? "the mean of all tasks"
                            : "that of task '" + first.watch().task() + "'",
                        first.task()));
  }

  /** How training went, the first seed of each run: by epoch, or within the only one. */
  static Block curves(Groups groups) {
    return groups.all().stream().anyMatch(g -> g.first().curve().size() > 1)
        ? validation(groups)
        : losses(groups);
  }

  private static Block losses(Groups groups) {
    return new Block.Chart(
        "Loss in training",
        new Block.Axis("examples seen", true),
        new Block.Axis("loss in nats", false),
        groups.all().stream()
            .map(
                g ->
                    new Block.Series(
                        g.name(),
                        Block.Mark.LINE_AND_POINTS,
                        g.first().losses().stream()
                            .map(p -> Block.Point.of((double) p.examples(), p.loss()))
                            .toList()))
            .toList(),
        "A running mean over examples before they are learnt from. The first seed of each run.");
  }

  private static Block validation(Groups groups) {
    List<Block.Series> series = new ArrayList<>();
    for (Groups.Group group : groups.all()) {
      Watch watch = group.first().watch();
      List<Block.Point> points = new ArrayList<>();
      for (CurvePoint point : group.first().curve()) {
        double auc = watch.of(point.valid(), Measure.AUC);
        if (Double.isFinite(auc)) {
          points.add(Block.Point.of(point.epoch(), auc));
        }
      }
      series.add(new Block.Series(group.name(), Block.Mark.LINE_AND_POINTS, points));
    }
    return new Block.Chart(
        "Learning curves",
        new Block.Axis("epoch", false),
        new Block.Axis("validation AUC", false),
        series,
        withTasks("The first seed of each run.", groups));
  }

  /** Mean label by mean probability over bins of the test split, the first seed of each run. */
  static Block calibration(Groups groups) {
    List<Block.Series> series = new ArrayList<>();
    series.add(
        new Block.Series(
            "ideal", Block.Mark.DASHED_LINE, List.of(Block.Point.of(0, 0), Block.Point.of(1, 1))));
    for (Groups.Group group : groups.all()) {
      series.add(
          new Block.Series(
              group.name(),
              Block.Mark.LINE_AND_POINTS,
              group.first().detail().calibration().stream()
                  .map(bin -> Block.Point.of(bin.meanProbability(), bin.meanLabel()))
                  .toList()));
    }
    return new Block.Chart(
        "Calibration on the test data",
        new Block.Axis("mean probability", false),
        new Block.Axis("mean label", false),
        series,
        "Bins of as many examples each, by ascending probability.");
  }

  /** All slices of one model. */
  static Block slices(Groups.Group group) {
    List<List<String>> rows =
        group.first().detail().slices().stream()
            .map(
                slice ->
                    List.of(
                        slice.feature(),
                        name(slice),
                        Cells.count(slice.metrics().examples()),
                        Cells.number("%.4f", slice.metrics().baseRate()),
                        Cells.number("%.4f", slice.metrics().auc()),
                        Cells.number("%.4f", slice.metrics().logLoss()),
                        Cells.number("%.3f", slice.metrics().calibration())))
            .toList();
    return new Block.Table(
        Cells.columns(
            "feature", "slice", "#examples", "#base rate", "#AUC", "#LogLoss", "#calibration"),
        rows,
        "Of "
            + group.name()
            + ". Calibration is mean probability divided by mean label: 1 is right. A frequency is"
            + " how often the value occurs in the training data.");
  }

  private static String name(Slice slice) {
    boolean count = slice.by().equals("frequency") && Character.isDigit(slice.slice().charAt(0));
    return count ? slice.slice() + " times in training" : slice.slice();
  }

  /** The AUC of every model by feature: one table a feature, slices down, models across. */
  static List<Block> slicesOfAll(Groups groups) {
    Map<String, Map<String, Map<String, Double>>> byFeature = new LinkedHashMap<>();
    for (Groups.Group group : groups.all()) {
      for (Slice slice : group.first().detail().slices()) {
        byFeature
            .computeIfAbsent(slice.feature(), _ -> new LinkedHashMap<>())
            .computeIfAbsent(name(slice), _ -> new LinkedHashMap<>())
            .put(group.name(), slice.metrics().auc());
      }
    }
    List<Block> blocks = new ArrayList<>();
    byFeature.forEach(
        (feature, slices) -> {
          List<String> headings = new ArrayList<>(List.of(feature));
          groups.all().forEach(g -> headings.add("#" + g.name()));
          List<List<String>> rows = new ArrayList<>();
          slices.forEach(
              (slice, models) -> {
                List<String> row = new ArrayList<>(List.of(slice));
                groups
                    .all()
                    .forEach(
                        g ->
                            row.add(
                                Cells.number("%.4f", models.getOrDefault(g.name(), Double.NaN))));
                rows.add(row);
              });
          blocks.add(
              new Block.Table(
                  Cells.columns(headings.toArray(String[]::new)), rows, "Test AUC by " + feature));
        });
    return blocks;
  }

  /** The runs in the order of one figure, the smallest first. */
  static List<Groups.Group> by(List<Groups.Group> groups, ToDoubleFunction<Groups.Group> figure) {
    return groups.stream().sorted(Comparator.comparingDouble(figure)).toList();
  }
}
