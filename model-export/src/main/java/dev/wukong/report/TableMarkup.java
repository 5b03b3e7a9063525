package dev.wukong.report;

import dev.wukong.report.Block.Column;
import dev.wukong.report.Block.Table;
import java.util.List;

/** Writes tables. */
final class TableMarkup {
  private TableMarkup() {}

  /**
   * Writes a table that scrolls sideways where the screen is narrower, and its note.
   *
   * @param name what the table is, for those who hear it
   */
  static void write(Markup page, Table table, String name) {
    page.open("div", "class", "scroll", "role", "region", "aria-label", name, "tabindex", "0");
    page.open("table").open("thead").open("tr");
    for (Column column : table.columns()) {
      if (column.numeric()) {
        page.element("th", column.heading(), "scope", "col", "class", "number");
      } else {
        page.element("th", column.heading(), "scope", "col");
      }
    }
    page.close().close().open("tbody").line();
    for (List<String> row : table.rows()) {
      row(page, table.columns(), row);
    }
    page.close().close().close().line();
    if (!table.note().isEmpty()) {
      page.element("p", table.note(), "class", "note").line();
    }
  }

  /** Text in the first column says what the row is about. */
  private static void row(Markup page, List<Column> columns, List<String> row) {
    page.open("tr");
    for (int i = 0; i < row.size(); i++) {
      if (columns.get(i).numeric()) {
        page.element("td", row.get(i), "class", "number");
      } else if (i == 0) {
        page.element("th", row.get(i), "scope", "row");
      } else {
        page.element("td", row.get(i));
      }
    }
    page.close().line();
  }
}
