package dev.wukong.report;

import java.util.List;

/**
 * A document of tables, charts and text.
 *
 * @param subtitle one line on what was run, on what and when
 */
public record Report(String title, String subtitle, List<Block> blocks) {
  public Report {
    blocks = List.copyOf(blocks);
  }
}
