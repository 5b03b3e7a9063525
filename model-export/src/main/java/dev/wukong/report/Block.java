package dev.wukong.report;

import java.util.List;

/** A part of a report. All text is plain: it is escaped where it is written. */
public sealed interface Block {
  /** Begins a section. */
  record Heading(String text) implements Block {}

  record Paragraph(String text) implements Block {}

  /**
   * A table.
   *
   * @param rows as many cells each as there are columns
   * @param note below the table; may be empty
   */
  record Table(List<Column> columns, List<List<String>> rows, String note) implements Block {
    public Table {
      columns = List.copyOf(columns);
      rows = rows.stream().map(List::copyOf).toList();
      for (List<String> row : rows) {
        if (row.size() != columns.size()) {
          throw new IllegalArgumentException(
              "a row has " + row.size() + " cells, want " + columns.size());
        }
      }
    }
  }

  /** A column's heading, and whether its cells are numbers, set to the right. */
  record Column(String heading, boolean numeric) {}

  /**
   * Points over two axes.
   *
   * @param note below the chart; may be empty
   */
  record Chart(String title, Axis x, Axis y, List<Series> series, String note) implements Block {
    public Chart {
      series = List.copyOf(series);
    }
  }

  /**
   * An axis.
   *
   * @param log whether it is logarithmic; values of 0 or less are then left out
   */
  record Axis(String label, boolean log) {}

  /** Points that belong together; lines join them in their order where asked. */
  record Series(String name, Mark mark, List<Point> points) {
    public Series {
      points = List.copyOf(points);
    }
  }

  /** How a series is drawn. */
  enum Mark {
    LINE,
    POINTS,
    LINE_AND_POINTS,
    /** For what others are compared with: an ideal, a published figure. */
    DASHED_LINE
  }

  /**
   * A point and its interval.
   *
   * @param low the interval's lower end, NaN for none
   * @param high its upper end, NaN for none
   * @param label what the point is; may be empty
   */
  record Point(double x, double y, double low, double high, String label) {
    public static Point of(double x, double y) {
      return new Point(x, y, Double.NaN, Double.NaN, "");
    }
  }
}
