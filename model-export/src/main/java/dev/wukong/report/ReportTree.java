package dev.wukong.report;

import dev.wukong.report.Block.Axis;
import dev.wukong.report.Block.Chart;
import dev.wukong.report.Block.Heading;
import dev.wukong.report.Block.Mark;
import dev.wukong.report.Block.Paragraph;
import dev.wukong.report.Block.Point;
import dev.wukong.report.Block.Series;
import dev.wukong.report.Block.Table;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A report as JSON values. Numbers that are not finite, and empty labels, are left out. */
final class ReportTree {
  /** Of the keys and their meaning; grows where a reader would have to change. */
  static final int FORMAT = 1;

  private static final JsonMapper MAPPER = JsonMapper.shared();

  private ReportTree() {}

  static ObjectNode of(Report report) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("format", FORMAT);
    put(node, "title", report.title());
    put(node, "subtitle", report.subtitle());
    ArrayNode blocks = node.putArray("blocks");
    report.blocks().forEach(block -> blocks.add(of(block)));
    return node;
  }

  static ObjectNode of(Block block) {
    return switch (block) {
      case Heading heading -> text("heading", heading.text());
      case Paragraph paragraph -> text("paragraph", paragraph.text());
      case Table table -> of(table);
      case Chart chart -> of(chart);
    };
  }

  private static ObjectNode text(String type, String text) {
    ObjectNode node = block(type);
    put(node, "text", text);
    return node;
  }

  private static ObjectNode of(Table table) {
    ObjectNode node = block("table");
    ArrayNode columns = node.putArray("columns");
    for (Block.Column column : table.columns()) {
      ObjectNode entry = columns.addObject();
      put(entry, "heading", column.heading());
      entry.put("numeric", column.numeric());
    }
    ArrayNode rows = node.putArray("rows");
    for (var row : table.rows()) {
      ArrayNode cells = rows.addArray();
      row.forEach(cell -> cells.add(PlainText.clean(cell)));
    }
    put(node, "note", table.note());
    return node;
  }

  private static ObjectNode of(Chart chart) {
    ObjectNode node = block("chart");
    put(node, "title", chart.title());
    axis(node.putObject("x"), chart.x());
    axis(node.putObject("y"), chart.y());
    ArrayNode all = node.putArray("series");
    for (Series series : chart.series()) {
      ObjectNode entry = all.addObject();
      put(entry, "name", series.name());
      entry.put("mark", name(series.mark()));
      ArrayNode points = entry.putArray("points");
      series.points().forEach(point -> point(points.addObject(), point));
    }
    put(node, "note", chart.note());
    return node;
  }

  private static void axis(ObjectNode node, Axis axis) {
    put(node, "label", axis.label());
    node.put("log", axis.log());
  }

  private static void point(ObjectNode node, Point point) {
    putFinite(node, "x", point.x());
    putFinite(node, "y", point.y());
    putFinite(node, "low", point.low());
    putFinite(node, "high", point.high());
    if (!point.label().isEmpty()) {
      put(node, "label", point.label());
    }
  }

  private static String name(Mark mark) {
    return switch (mark) {
      case LINE -> "line";
      case POINTS -> "points";
      case LINE_AND_POINTS -> "line_and_points";
      case DASHED_LINE -> "dashed_line";
    };
  }

  private static ObjectNode block(String type) {
    return MAPPER.createObjectNode().put("type", type);
  }

  private static void put(ObjectNode node, String key, String text) {
    node.put(key, PlainText.clean(text));
  }

  private static void putFinite(ObjectNode node, String key, double value) {
    if (Double.isFinite(value)) {
      node.put(key, value);
    }
  }
}
