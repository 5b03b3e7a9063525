package dev.wukong.serving.embedding;

import java.util.List;

/**
 * Candidates ready for a batch: every id has become a slot, every slot's row has a place in memory.
 *
 * @param contexts contexts of these candidates; 0 where the schema has no context features
 * @param candidates how many
 * @param groups by group of the layout
 * @param contextDense [contexts, dense width of the context scope]
 * @param candidateDense [candidates, dense width of the candidate scope]
 * @param contextOf [candidates]: below {@code contexts}; empty where the schema has no context
 *     features
 */
@SuppressWarnings(
    "ArrayRecordComponent") // Handed from the request's thread to the batch's, never compared.
public record PreparedRows(
    int contexts,
    int candidates,
    List<GroupRows> groups,
    float[] contextDense,
    float[] candidateDense,
    int[] contextOf) {

  /**
   * One group's part.
   *
   * @param count distinct rows; their slots are 1 to this
   * @param places [count + 1], by slot: the row's place in the resident table, or {@code -2 - i}
   *     for the i-th of {@code spilled}; 0 is the padding row and has none
   * @param spilled [n, width]: rows for which the resident table had no room
   * @param contextSlots [contexts, slot width of the context scope]
   * @param candidateSlots [candidates, slot width of the candidate scope]
   * @param contextWeights like contextSlots where the group is weighted there, else empty
   * @param candidateWeights like candidateSlots where the group is weighted there, else empty
   */
  @SuppressWarnings("ArrayRecordComponent") // As above.
  public record GroupRows(
      int count,
      int[] places,
      float[] spilled,
      int[] contextSlots,
      int[] candidateSlots,
      float[] contextWeights,
      float[] candidateWeights) {}
}
