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
  private static final int MOST_IDS = 1 << 16;

  public TableLoad {
    Traffic.require("the table's number of rows", (double) rows, 1, 1e12);
    Traffic.require("the table's width", width, 1, 1 << 16);
    Traffic.require("the number of its ids in a context", contextIds, 0, MOST_IDS);
    Traffic.require("the number of its ids in a candidate", candidateIds, 0, MOST_IDS);
    if (contextIds + candidateIds == 0) {
      throw new IllegalArgumentException(
          "no context and no candidate has an id of the table, want one at least");
    }
  }
}
