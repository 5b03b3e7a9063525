package dev.wukong.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.report.Block.Axis;
import dev.wukong.report.Block.Chart;
import dev.wukong.report.Block.Series;
import java.util.List;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.parser.Parser;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reports as an HTML parser that is not ours sees them. */
final class Pages {
  private Pages() {}

  /** Reads the report's page, which must be free of parse errors. */
  static Document read(Report report) {
    Parser parser = Parser.htmlParser().setTrackErrors(100);
    Document page = parser.parseInput(HtmlReport.text(report), "");
    assertThat(parser.getErrors()).isEmpty();
    return page;
  }

  static Document read(Block... blocks) {
    return read(new Report("a report", "", List.of(blocks)));
  }

  /** Returns the data that a figure gives to its script. */
  static JsonNode data(Element figure) {
    return JsonMapper.shared().readTree(figure.expectFirst("script[type=application/json]").data());
  }

  static Chart chart(Axis x, Axis y, Series... series) {
    return new Chart("a chart", x, y, List.of(series), "");
  }

  static Axis linear(String label) {
    return new Axis(label, false);
  }

  static Axis log(String label) {
    return new Axis(label, true);
  }
}
