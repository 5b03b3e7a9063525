package dev.wukong.data;

import java.util.List;

/**
 * All tables of one width: their rows come to the graph in one input, {@code rows.<name>} of shape
 * [U, width].
 */
public record Group(String name, int width, List<Table> tables) {
  public Group {
    tables = List.copyOf(tables);
  }
}
