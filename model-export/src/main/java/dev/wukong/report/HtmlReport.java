package dev.wukong.report;

import dev.wukong.data.WholeFile;
import dev.wukong.report.Block.Chart;
import dev.wukong.report.Block.Heading;
import dev.wukong.report.Block.Paragraph;
import dev.wukong.report.Block.Table;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes a report as one HTML file that needs nothing else: no other file, no network. Its policy
 * lets a browser run the file's own scripts and nothing more.
 */
public final class HtmlReport {
  private final Report report;
  private final Markup page = new Markup();
  private final boolean charts;
  private final boolean tables;
  private int sections;
  private int figures;

  private HtmlReport(Report report) {
    this.report = report;
    charts = report.blocks().stream().anyMatch(Chart.class::isInstance);
    tables = charts || report.blocks().stream().anyMatch(Table.class::isInstance);
  }

  /**
   * Puts the report in {@code file}, whole or not at all.
   *
   * @throws IOException where it cannot be written; what was there before stays
   */
  public static void write(Report report, Path file) throws IOException {
    WholeFile.write(file, text(report));
  }

  static String text(Report report) {
    return new HtmlReport(report).build();
  }

  private String build() {
    String style = PageParts.style();
    String library = charts ? PageParts.library() : "";
    String script =
        (tables ? PageParts.tableScript() : "") + (charts ? PageParts.chartScript() : "");
    page.open("html", "lang", "en").line();
    head(style, policy(style, library, script));
    page.open("body").line();
    page.open("header").element("h1", report.title());
    if (!report.subtitle().isEmpty()) {
      page.element("p", report.subtitle(), "class", "subtitle");
    }
    contents();
    page.close().line().open("main").line();
    report.blocks().forEach(this::block);
    page.close().line();
    if (charts) {
      page.open("footer").text("Charts drawn by Apache ECharts ").text(PageParts.libraryVersion());
      page.text(", Apache License 2.0.").close().line();
      page.raw("<!--\n" + PageParts.libraryNotice() + "-->\n");
    }
    for (String part : List.of(library, script)) {
      if (!part.isEmpty()) {
        page.open("script").raw(part).close().line();
      }
    }
    page.close().line().close();
    return page.document();
  }

  private void head(String style, String policy) {
    page.open("head").line().tag("meta", "charset", "utf-8").line();
    page.tag("meta", "http-equiv", "Content-Security-Policy", "content", policy).line();
    page.tag("meta", "name", "viewport", "content", "width=device-width, initial-scale=1").line();
    page.tag("meta", "name", "color-scheme", "content", "light dark").line();
    page.element("title", report.title()).line();
    page.open("style").raw(style).close().line().close().line();
  }

  private static String policy(String style, String library, String script) {
    StringBuilder sources = new StringBuilder();
    for (String part : List.of(library, script)) {
      if (!part.isEmpty()) {
        sources.append(' ').append(PageParts.source(part));
      }
    }
    return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src "
        + PageParts.source(style)
        + "; script-src"
        + (sources.isEmpty() ? " 'none'" : sources);
  }

  /** Links to the sections, where there are several. */
  private void contents() {
    List<Heading> headings =
        report.blocks().stream()
            .filter(Heading.class::isInstance)
            .map(Heading.class::cast)
            .toList();
    if (headings.size() < 2) {
      return;
    }
    page.line().open("nav", "aria-label", "Contents").open("ol");
    for (int i = 0; i < headings.size(); i++) {
      page.open("li").element("a", headings.get(i).text(), "href", "#section-" + (i + 1)).close();
    }
    page.close().close();
  }

  private void block(Block block) {
    switch (block) {
      case Heading heading ->
          page.element("h2", heading.text(), "id", "section-" + ++sections).line();
      case Paragraph paragraph -> page.element("p", paragraph.text()).line();
      case Table table -> TableMarkup.write(page, table, name(table));
      case Chart chart -> ChartMarkup.write(page, chart, ++figures);
    }
  }

  private static String name(Table table) {
    return "Table of "
        + String.join(", ", table.columns().stream().map(Block.Column::heading).toList());
  }
}
