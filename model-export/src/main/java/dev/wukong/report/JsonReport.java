package dev.wukong.report;

import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.nio.file.Path;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a report as JSON, for programs.
 *
 * <pre>
 * format 1, title, subtitle, blocks: each with a type
 *   heading, paragraph   text
 *   table                columns: heading, numeric; rows: arrays of cells; note
 *   chart                title; x and y: label, log; series: name, mark, points; note
 *     mark               line, points, line_and_points or dashed_line
 *     point              x, y, low, high: absent where not finite; label: absent where empty
 * </pre>
 */
public final class JsonReport {
  private static final JsonMapper PRETTY =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private JsonReport() {}

  /**
   * Puts the report in {@code file}, whole or not at all.
   *
   * @throws IOException where it cannot be written; what was there before stays
   */
  public static void write(Report report, Path file) throws IOException {
    WholeFile.write(file, text(report));
  }

  static String text(Report report) {
    return PRETTY.writeValueAsString(ReportTree.of(report)) + "\n";
  }
}
