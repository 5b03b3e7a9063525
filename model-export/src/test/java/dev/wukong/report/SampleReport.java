package dev.wukong.report;

import dev.wukong.report.Block.Axis;
import dev.wukong.report.Block.Chart;
import dev.wukong.report.Block.Column;
import dev.wukong.report.Block.Heading;
import dev.wukong.report.Block.Mark;
import dev.wukong.report.Block.Paragraph;
import dev.wukong.report.Block.Point;
import dev.wukong.report.Block.Series;
import dev.wukong.report.Block.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** A report as long and as varied as a real one, of invented figures. */
final class SampleReport {
  private static final List<String> MODELS =
      List.of("wukong", "dcnv2", "deepfm", "xdeepfm", "autoint+", "dlrm", "fm", "lr");

  private SampleReport() {}

  static Report report() {
    return new Report(
        "Ranking models on frappe",
        "Eight models, five seeds each, 288,609 rows, 3 March 2026",
        List.of(
            new Heading("Models"),
            new Paragraph(
                "Every model was trained with the same embeddings, batches and stopping rule. An"
                    + " interval is the mean over five seeds, plus and minus its standard error."),
            models(),
            new Heading("Learning curves"),
            new Paragraph("The loss on rows that no model was trained on."),
            curves(),
            bands(),
            new Heading("Calibration"),
            calibration(),
            new Heading("Scaling"),
            scaling(),
            latency()));
  }

  static Table models() {
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < MODELS.size(); i++) {
      rows.add(
          List.of(
              MODELS.get(i),
              String.format(Locale.ROOT, "%.4f ± 0.000%d", 0.9845 - i * 0.0021, i + 2),
              String.format(Locale.ROOT, "%.4f", 0.1421 + i * i * 0.0013),
              String.format(Locale.ROOT, "%,d", 2_731_042 / (i + 1)),
              String.format(Locale.ROOT, "%.1f", 41.3 - 4.6 * i),
              i < 3 ? "attentive" : "plain"));
    }
    return new Table(
        List.of(
            new Column("Model", false),
            new Column("AUC", true),
            new Column("Log loss", true),
            new Column("Weights", true),
            new Column("ms a step", true),
            new Column("Interaction", false)),
        rows,
        "AUC: higher is better. Log loss: lower is better.");
  }

  static Chart curves() {
    List<Series> series = new ArrayList<>();
    for (int model = 0; model < 5; model++) {
      double floor = 0.861 + 0.006 * model;
      double speed = 0.45 - 0.04 * model;
      List<Point> points =
          IntStream.rangeClosed(1, 12)
              .mapToObj(epoch -> Point.of(epoch, floor + 0.07 * Math.exp(-speed * epoch)))
              .toList();
      series.add(new Series(MODELS.get(model), Mark.LINE_AND_POINTS, points));
    }
    series.add(
        new Series(
            "best possible", Mark.DASHED_LINE, List.of(Point.of(1, 0.852), Point.of(12, 0.852))));
    return new Chart(
        "Normalized entropy by epoch",
        new Axis("epoch", false),
        new Axis("normalized entropy (lower is better)", false),
        series,
        "");
  }

  static Chart bands() {
    List<Series> series = new ArrayList<>();
    for (int model = 0; model < 2; model++) {
      double top = 0.9845 - 0.0013 * model;
      List<Point> points =
          IntStream.rangeClosed(1, 60)
              .mapToObj(
                  step -> {
                    double y = top - 0.006 * Math.exp(-step / 15.0);
                    double room = 0.0004 + 0.0008 * Math.exp(-step / 20.0);
                    return new Point(step * 500, y, y - room, y + room, "");
                  })
              .toList();
      series.add(new Series(MODELS.get(model), Mark.LINE, points));
    }
    return new Chart(
        "AUC while training, five seeds",
        new Axis("step", false),
        new Axis("AUC", false),
        series,
        "The bands reach from the worst to the best seed.");
  }

  static Chart calibration() {
    List<Point> points = new ArrayList<>();
    for (int bin = 0; bin < 10; bin++) {
      double p = 0.05 + bin * 0.1;
      double seen = Math.min(1, p + 0.05 * Math.sin(bin));
      points.add(
          new Point(p, seen, seen - 0.03, Math.min(1, seen + 0.03), "bin " + (bin + 1) + " of 10"));
    }
    return new Chart(
        "Predicted and observed",
        new Axis("predicted probability", false),
        new Axis("observed rate", false),
        List.of(
            new Series("wukong", Mark.POINTS, points),
            new Series("perfect", Mark.DASHED_LINE, List.of(Point.of(0, 0), Point.of(1, 1)))),
        "");
  }

  static Chart scaling() {
    List<Series> series = new ArrayList<>();
    for (int model = 0; model < 3; model++) {
      List<Point> points = new ArrayList<>();
      for (int i = 0; i < 7; i++) {
        double flops = 2e5 * Math.pow(4, i);
        double gap = 0.05 * Math.pow(flops / 2e5, -0.16 + 0.04 * model);
        points.add(
            new Point(flops, gap, gap * 0.93, gap * 1.08, MODELS.get(model) + " l" + (i + 1)));
      }
      Mark mark = model == 2 ? Mark.POINTS : Mark.LINE_AND_POINTS;
      series.add(new Series(MODELS.get(model), mark, points));
    }
    return new Chart(
        "Quality against arithmetic",
        new Axis("FLOPs an example", true),
        new Axis("log loss above the best possible", true),
        series,
        "Both axes are logarithmic.");
  }

  /** A logarithmic axis over less than a power of ten, and a value that it cannot show. */
  static Chart latency() {
    return new Chart(
        "Latency against load",
        new Axis("requests a second", true),
        new Axis("p99, ms", true),
        List.of(
            new Series(
                "service",
                Mark.LINE,
                List.of(
                    Point.of(0, 2.1),
                    Point.of(1000, 2.2),
                    Point.of(1500, 2.4),
                    Point.of(2200, 2.9),
                    Point.of(3100, 3.9))),
            new Series("not measured", Mark.POINTS, List.of())),
        "");
  }
}
