package dev.wukong.report;

import dev.wukong.report.Block.Axis;
import dev.wukong.report.Block.Chart;
import dev.wukong.report.Block.Column;
import dev.wukong.report.Block.Point;
import dev.wukong.report.Block.Series;
import dev.wukong.report.Block.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** Writes charts: the data for the script that draws them, and all numbers as a table. */
final class ChartMarkup {
  private ChartMarkup() {}

  /**
   * Writes a chart.
   *
   * @param number of the chart on its page, from 1
   */
  static void write(Markup page, Chart chart, int number) {
    String title = "chart-" + number;
    Drawable drawable = Drawable.of(chart);
    page.open("figure", "class", "chart", "aria-labelledby", title);
    page.element("figcaption", chart.title(), "id", title).line();
    page.element("div", "", "class", "plot", "role", "img", "aria-label", description(chart));
    page.open("noscript").element("p", "The chart needs scripts; its numbers are below.").close();
    page.open("script", "type", "application/json").raw(data(drawable.chart())).close().line();
    for (String omission : drawable.omissions()) {
      page.element("p", omission, "class", "omitted");
    }
    if (!chart.note().isEmpty()) {
      page.element("p", chart.note(), "class", "note");
    }
    page.open("details").element("summary", "Numbers");
    TableMarkup.write(page, numbers(chart), "Numbers of " + chart.title());
    page.close().close().line();
  }

  /** Returns what a listener hears in the place of the drawing. */
  private static String description(Chart chart) {
    String names = chart.series().stream().map(Series::name).collect(Collectors.joining(", "));
    return "%s: %s over %s. %s."
        .formatted(
            chart.title(),
            said(chart.y()),
            said(chart.x()),
            names.isEmpty() ? "No series" : "Series: " + names);
  }

  private static String said(Axis axis) {
    return axis.log() ? axis.label() + " (logarithmic)" : axis.label();
  }

  /** Returns JSON in which no tag, comment or entity can be seen, whatever the texts hold. */
  private static String data(Chart chart) {
    return ReportTree.of(chart)
        .toString()
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029");
  }

  /** Returns all points, those not drawn included; columns that nothing stands in are left out. */
  private static Table numbers(Chart chart) {
    boolean labels = any(chart, point -> point.label().isEmpty() ? Double.NaN : 1);
    boolean lows = any(chart, Point::low);
    boolean highs = any(chart, Point::high);
    List<Column> columns = new ArrayList<>();
    columns.add(new Column("Series", false));
    add(columns, labels, new Column("Label", false));
    columns.add(new Column(chart.x().label(), true));
    columns.add(new Column(chart.y().label(), true));
    add(columns, lows, new Column("From", true));
    add(columns, highs, new Column("To", true));
    List<List<String>> rows = new ArrayList<>();
    for (Series series : chart.series()) {
      for (Point point : series.points()) {
        List<String> row = new ArrayList<>();
        row.add(series.name());
        add(row, labels, point.label());
        row.add(Numerals.text(point.x()));
        row.add(Numerals.text(point.y()));
        add(row, lows, Numerals.text(point.low()));
        add(row, highs, Numerals.text(point.high()));
        rows.add(row);
      }
    }
    return new Table(columns, rows, "");
  }

  private static <T> void add(List<T> list, boolean wanted, T element) {
    if (wanted) {
      list.add(element);
    }
  }

  private static boolean any(Chart chart, ToDoubleFunction<Point> part) {
    return chart.series().stream()
        .flatMap(series -> series.points().stream())
        .anyMatch(point -> !Double.isNaN(part.applyAsDouble(point)));
  }
}
