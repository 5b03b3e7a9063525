package dev.wukong.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.report.Block.Axis;
import dev.wukong.report.Block.Chart;
import dev.wukong.report.Block.Column;
import dev.wukong.report.Block.Heading;
import dev.wukong.report.Block.Mark;
import dev.wukong.report.Block.Paragraph;
import dev.wukong.report.Block.Point;
import dev.wukong.report.Block.Series;
import dev.wukong.report.Block.Table;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jsoup.nodes.Comment;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Text that would be markup or script if it were written as it is, in every field at once. */
class HostileTextTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "<b id=evil>",
        "</script><script id=evil>alert(1)</script>",
        "<!--<script>",
        "-->",
        "]]>",
        "\" id=evil onload=alert(1) x=\"",
        "' id='evil",
        "&lt;b&gt; &amp; &#x41; &copy",
        "</title></style></noscript></details><img id=evil src=x onerror=alert(1)>",
        "\\u003c/script\\u003e \\",
        "javascript:alert(1)",
        "{{evil}} ${evil}",
        "two\u2028separators\u2029",
      })
  void text_likeMarkup_staysText(String text) {
    Report report = everywhere(field -> field + text);
    Report harmless = everywhere(field -> field);
    Document page = Pages.read(report);

    assertThat(page.getElementById("evil")).isNull();
    assertThat(elements(page)).isEqualTo(elements(Pages.read(harmless)));
    assertThat(attributes(page)).isEqualTo(attributes(Pages.read(harmless)));
    assertThat(comments(page)).isEqualTo(1);

    assertThat(page.head().expectFirst("title").wholeText()).isEqualTo("title" + text);
    assertThat(page.expectFirst("h1").wholeText()).isEqualTo("title" + text);
    assertThat(page.expectFirst(".subtitle").wholeText()).isEqualTo("subtitle" + text);
    assertThat(page.expectFirst("h2").wholeText()).isEqualTo("heading" + text);
    assertThat(page.expectFirst("nav a").wholeText()).isEqualTo("heading" + text);
    assertThat(page.expectFirst("main > p").wholeText()).isEqualTo("paragraph" + text);
    assertThat(page.expectFirst("thead th").wholeText()).isEqualTo("column" + text);
    assertThat(page.expectFirst("tbody th").wholeText()).isEqualTo("cell" + text);
    assertThat(page.expectFirst("main > .note").wholeText()).isEqualTo("table note" + text);
    assertThat(page.expectFirst("main > .scroll").attr("aria-label")).contains("column" + text);

    Element figure = page.expectFirst("figure");
    assertThat(figure.expectFirst("figcaption").wholeText()).isEqualTo("chart" + text);
    assertThat(figure.expectFirst(".plot").attr("aria-label"))
        .contains("chart" + text, "x" + text, "y" + text, "series" + text);
    assertThat(figure.expectFirst(".omitted").wholeText()).startsWith("series" + text);
    assertThat(figure.expectFirst("details td").wholeText()).isEqualTo("label" + text);

    JsonNode data = Pages.data(figure);
    assertThat(data.at("/title").stringValue()).isEqualTo("chart" + text);
    assertThat(data.at("/x/label").stringValue()).isEqualTo("x" + text);
    assertThat(data.at("/y/label").stringValue()).isEqualTo("y" + text);
    assertThat(data.at("/note").stringValue()).isEqualTo("chart note" + text);
    assertThat(data.at("/series/0/name").stringValue()).isEqualTo("series" + text);
    assertThat(data.at("/series/0/points/0/label").stringValue()).isEqualTo("label" + text);
    assertThat(figure.expectFirst("script").data())
        .doesNotContain("<", ">", "&", "\u2028", "\u2029");
  }

  @Test
  void text_thatNoDocumentCanHold_isReplaced(@TempDir Path folder) throws Exception {
    Report report = everywhere(field -> field + "\0\u0007\u0085\uD800\uFFFE\uFDD0 𝒳é");
    Path file = folder.resolve("report.html");
    HtmlReport.write(report, file);

    String text = Files.readString(file, StandardCharsets.UTF_8);
    assertThat(Pages.read(report).expectFirst("h1").wholeText())
        .isEqualTo("title\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD 𝒳é");
    assertThat(text).doesNotContain("\0", "\u0007", "\u0085", "\uFFFE", "\uFDD0");
    JsonReport.write(report, folder.resolve("report.json"));
    assertThat(Files.readString(folder.resolve("report.json"))).contains("title\uFFFD");
  }

  private static Report everywhere(UnaryOperator<String> field) {
    return new Report(
        field.apply("title"),
        field.apply("subtitle"),
        List.of(
            new Heading(field.apply("heading")),
            new Heading("another"),
            new Paragraph(field.apply("paragraph")),
            new Table(
                List.of(new Column(field.apply("column"), false)),
                List.of(List.of(field.apply("cell"))),
                field.apply("table note")),
            new Chart(
                field.apply("chart"),
                new Axis(field.apply("x"), false),
                new Axis(field.apply("y"), false),
                List.of(
                    new Series(
                        field.apply("series"),
                        Mark.POINTS,
                        List.of(
                            new Point(1, 2, Double.NaN, Double.NaN, field.apply("label")),
                            Point.of(Double.NaN, 1)))),
                field.apply("chart note"))));
  }

  private static List<String> elements(Document page) {
    return page.getAllElements().stream().map(Element::tagName).toList();
  }

  private static List<List<String>> attributes(Document page) {
    return page.getAllElements().stream()
        .map(element -> element.attributes().asList().stream().map(a -> a.getKey()).toList())
        .toList();
  }

  private static long comments(Document page) {
    return page.nodeStream(Comment.class).count();
  }
}
