package dev.wukong.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.report.Block.Column;
import dev.wukong.report.Block.Heading;
import dev.wukong.report.Block.Mark;
import dev.wukong.report.Block.Paragraph;
import dev.wukong.report.Block.Point;
import dev.wukong.report.Block.Series;
import dev.wukong.report.Block.Table;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

class JsonReportTest {
  @Test
  void write_everyBlock_hasItsKeys(@TempDir Path folder) throws Exception {
    Report report =
        new Report(
            "t",
            "s",
            List.of(
                new Heading("h"),
                new Paragraph("<p> & \"q\""),
                new Table(
                    List.of(new Column("name", false), new Column("AUC", true)),
                    List.of(List.of("a", "0.9845")),
                    "n"),
                Pages.chart(
                    Pages.log("x"),
                    Pages.linear("y"),
                    new Series(
                        "one",
                        Mark.LINE_AND_POINTS,
                        List.of(
                            new Point(0, 0.1, 0.05, 0.2, "l"),
                            Point.of(1e-7, Double.NaN),
                            Point.of(Double.POSITIVE_INFINITY, 3))),
                    new Series("two", Mark.DASHED_LINE, List.of()))));
    Path file = folder.resolve("report.json");
    JsonReport.write(report, file);

    String want =
        """
        {"format": 1, "title": "t", "subtitle": "s", "blocks": [
          {"type": "heading", "text": "h"},
          {"type": "paragraph", "text": "<p> & \\"q\\""},
          {"type": "table",
           "columns": [{"heading": "name", "numeric": false}, {"heading": "AUC", "numeric": true}],
           "rows": [["a", "0.9845"]], "note": "n"},
          {"type": "chart", "title": "a chart",
           "x": {"label": "x", "log": true}, "y": {"label": "y", "log": false},
           "series": [
             {"name": "one", "mark": "line_and_points", "points": [
               {"x": 0.0, "y": 0.1, "low": 0.05, "high": 0.2, "label": "l"},
               {"x": 1e-7},
               {"y": 3.0}]},
             {"name": "two", "mark": "dashed_line", "points": []}],
           "note": ""}]}
        """;
    String written = Files.readString(file);
    assertThat(JsonMapper.shared().readTree(written)).isEqualTo(JsonMapper.shared().readTree(want));
    assertThat(written).endsWith("}\n").doesNotContain("NaN").doesNotContain("Infinity");
  }
}
