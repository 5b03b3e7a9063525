package dev.wukong.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.report.Block.Chart;
import dev.wukong.report.Block.Mark;
import dev.wukong.report.Block.Point;
import dev.wukong.report.Block.Series;
import java.util.ArrayList;
import java.util.List;
import org.jsoup.nodes.Element;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

class ChartMarkupTest {
  private static final Series PLAIN =
      new Series("plain", Mark.LINE, List.of(Point.of(1, 2), Point.of(3, -4.5)));

  @ParameterizedTest
  @EnumSource(Mark.class)
  void chart_anyMark_isDrawnAndTold(Mark mark) {
    Series series = new Series("one", mark, List.of(Point.of(1, 0.9845), Point.of(2, 0.5)));
    Element figure = figure(Pages.chart(Pages.linear("epoch"), Pages.linear("AUC"), series));

    JsonNode drawn = Pages.data(figure).at("/series/0");
    String name =
        switch (mark) {
          case LINE -> "line";
          case POINTS -> "points";
          case LINE_AND_POINTS -> "line_and_points";
          case DASHED_LINE -> "dashed_line";
        };
    assertThat(drawn.at("/mark").stringValue()).isEqualTo(name);
    // The script must know the word, or it would draw the series as something else.
    if (mark != Mark.LINE) {
      assertThat(PageParts.chartScript()).contains('"' + name + '"');
    }
    assertThat(drawn.at("/points")).hasSize(2);
    assertThat(drawn.at("/points/0/x").doubleValue()).isEqualTo(1);
    assertThat(drawn.at("/points/0/y").doubleValue()).isEqualTo(0.9845);
    assertThat(drawn.at("/points/0").propertyNames()).containsExactly("x", "y");
    assertThat(cells(figure))
        .containsExactly(List.of("one", "1", "0.9845"), List.of("one", "2", "0.5"));
  }

  @Test
  void chart_any_hasATitleAndALabel() {
    Element figure = figure(Pages.chart(Pages.log("FLOPs"), Pages.linear("AUC"), PLAIN));

    String caption = figure.attr("aria-labelledby");
    assertThat(figure.expectFirst("#" + caption).text()).isEqualTo("a chart");
    assertThat(figure.expectFirst("[role=img]").attr("aria-label"))
        .isEqualTo("a chart: AUC over FLOPs (logarithmic). Series: plain.");
    assertThat(figure.expectFirst("noscript").text()).contains("numbers are below");
  }

  @Test
  void charts_two_haveTitlesOfTheirOwn() {
    Chart chart = Pages.chart(Pages.linear("x"), Pages.linear("y"), PLAIN);

    assertThat(Pages.read(chart, chart).select("figcaption").eachAttr("id"))
        .doesNotHaveDuplicates();
  }

  @Test
  void logAxis_valuesOfZeroOrLess_areLeftOutAndSaid() {
    Series series =
        new Series(
            "s",
            Mark.POINTS,
            List.of(
                Point.of(10, 1),
                Point.of(0, 1),
                Point.of(-5, 1),
                new Point(20, 2, -1, 3, "low"),
                new Point(30, 0, -1, 1, "zero")));
    Element both = figure(Pages.chart(Pages.log("x"), Pages.log("y"), series));
    Element onlyX = figure(Pages.chart(Pages.log("x"), Pages.linear("y"), series));
    Element none = figure(Pages.chart(Pages.linear("x"), Pages.linear("y"), series));

    assertThat(xs(both)).containsExactly(10.0, 20.0);
    assertThat(Pages.data(both).at("/series/0/points/1").propertyNames())
        .containsExactly("x", "y", "high", "label");
    assertThat(both.select(".omitted").eachText())
        .containsExactly(
            "s: 3 of 5 points not drawn: 0 or less on a log axis.",
            "s: 1 end of an interval not drawn: infinite, or 0 or less on a log axis.");
    assertThat(xs(onlyX)).containsExactly(10.0, 20.0, 30.0);
    assertThat(onlyX.select(".omitted").eachText())
        .containsExactly("s: 2 of 5 points not drawn: 0 or less on a log axis.");
    assertThat(xs(none)).containsExactly(10.0, 0.0, -5.0, 20.0, 30.0);
    assertThat(none.select(".omitted")).isEmpty();
    // The table keeps them.
    assertThat(cells(both)).hasSize(5).contains(List.of("s", "zero", "30", "0", "-1", "1"));
  }

  @Test
  void points_notFinite_areLeftOutAndSaid() {
    double inf = Double.POSITIVE_INFINITY;
    Series series =
        new Series(
            "s",
            Mark.LINE,
            List.of(
                Point.of(1, Double.NaN),
                Point.of(Double.NaN, 1),
                Point.of(2, -inf),
                new Point(3, 4, 3.5, inf, ""),
                new Point(5, 6, 5, 7, "")));
    Element figure = figure(Pages.chart(Pages.linear("x"), Pages.linear("y"), series));

    assertThat(xs(figure)).containsExactly(3.0, 5.0);
    assertThat(figure.select(".omitted").eachText())
        .containsExactly(
            "s: 3 of 5 points not drawn: not a finite number.",
            "s: 1 end of an interval not drawn: infinite, or 0 or less on a log axis.");
    assertThat(cells(figure))
        .containsExactly(
            List.of("s", "1", "–", "–", "–"),
            List.of("s", "–", "1", "–", "–"),
            List.of("s", "2", "−∞", "–", "–"),
            List.of("s", "3", "4", "3.5", "∞"),
            List.of("s", "5", "6", "5", "7"));
  }

  @Test
  void series_empty_isNamedAndSaid() {
    Element figure =
        figure(
            Pages.chart(
                Pages.linear("x"),
                Pages.linear("y"),
                PLAIN,
                new Series("empty", Mark.POINTS, List.of())));

    assertThat(Pages.data(figure).at("/series/1/name").stringValue()).isEqualTo("empty");
    assertThat(Pages.data(figure).at("/series/1/points")).isEmpty();
    assertThat(figure.select(".omitted").eachText()).containsExactly("empty: no points.");
  }

  @Test
  void chart_withoutSeries_isStillAPage() {
    Element figure = figure(Pages.chart(Pages.log("x"), Pages.linear("y")));

    assertThat(Pages.data(figure).at("/series")).isEmpty();
    assertThat(figure.select(".omitted").eachText()).containsExactly("Nothing to draw.");
    assertThat(figure.expectFirst("[role=img]").attr("aria-label")).endsWith("No series.");
  }

  private static Element figure(Chart chart) {
    return Pages.read(chart).expectFirst("figure");
  }

  private static List<Double> xs(Element figure) {
    List<Double> xs = new ArrayList<>();
    Pages.data(figure)
        .at("/series/0/points")
        .forEach(point -> xs.add(point.at("/x").doubleValue()));
    return xs;
  }

  private static List<List<String>> cells(Element figure) {
    return figure.select("details tbody tr").stream()
        .map(row -> row.children().eachText())
        .toList();
  }
}
