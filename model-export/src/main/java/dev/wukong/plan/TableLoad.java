package dev.wukong.plan;

/**
 * A table and who reads it.
 *
 * @param rows that it has
 * @param width floats a row
 * @param contextIds ids of it in a context
 * @param candidateIds ids of it in a candidate
 */
public record TableLoad(long rows, int width, int contextIds, int candidateIds) {
  public TableLoad {
    Traffic.require("rows of a --table", (double) rows, 1, 1e12);
    Traffic.require("width of a --table", width, 1, 1 << 16);
  }
}
