package dev.wukong.report;

import dev.wukong.report.Block.Axis;
import dev.wukong.report.Block.Chart;
import dev.wukong.report.Block.Point;
import dev.wukong.report.Block.Series;
import java.util.ArrayList;
import java.util.List;

/**
 * What of a chart can be drawn.
 *
 * @param chart the chart with the points that have a place on both axes, and with those ends of
 *     intervals that have one; series are never left out
 * @param omissions a sentence for each kind of thing that was left out
 */
record Drawable(Chart chart, List<String> omissions) {
  Drawable {
    omissions = List.copyOf(omissions);
  }

  static Drawable of(Chart chart) {
    List<Series> drawn = new ArrayList<>();
    List<String> omissions = new ArrayList<>();
    if (chart.series().isEmpty()) {
      omissions.add("Nothing to draw.");
    }
    for (Series series : chart.series()) {
      drawn.add(drawable(series, chart, omissions));
    }
    return new Drawable(
        new Chart(chart.title(), chart.x(), chart.y(), drawn, chart.note()), omissions);
  }

  private static Series drawable(Series series, Chart chart, List<String> omissions) {
    if (series.points().isEmpty()) {
      omissions.add(series.name() + ": no points.");
    }
    List<Point> points = new ArrayList<>();
    int unknown = 0;
    int notPositive = 0;
    int ends = 0;
    for (Point point : series.points()) {
      if (!Double.isFinite(point.x()) || !Double.isFinite(point.y())) {
        unknown++;
      } else if (!fits(point.x(), chart.x()) || !fits(point.y(), chart.y())) {
        notPositive++;
      } else {
        double low = fits(point.low(), chart.y()) ? point.low() : Double.NaN;
        double high = fits(point.high(), chart.y()) ? point.high() : Double.NaN;
        ends += lost(point.low(), low) + lost(point.high(), high);
        points.add(new Point(point.x(), point.y(), low, high, point.label()));
      }
    }
    String of = "of " + series.points().size() + " points not drawn: ";
    say(omissions, series, unknown, of + "not a finite number.");
    say(omissions, series, notPositive, of + "0 or less on a log axis.");
    String end = ends == 1 ? "end of an interval" : "ends of intervals";
    say(omissions, series, ends, end + " not drawn: infinite, or 0 or less on a log axis.");
    return new Series(series.name(), series.mark(), points);
  }

  private static void say(List<String> omissions, Series series, int count, String what) {
    if (count > 0) {
      omissions.add(series.name() + ": " + count + " " + what);
    }
  }

  private static boolean fits(double value, Axis axis) {
    return Double.isFinite(value) && (!axis.log() || value > 0);
  }

  /** Returns 1 where the end of an interval is there but not drawn. */
  private static int lost(double given, double drawn) {
    return !Double.isNaN(given) && Double.isNaN(drawn) ? 1 : 0;
  }
}
