package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Scope;

/** Shows the embedding rows of a session, for comparisons with other implementations. */
public final class SessionRows {
  private SessionRows() {}

  /**
   * The rows that {@code batch} looks up in {@code group}, [B, W, d]; rows never met are made, just
   * as a step would make them. Called by the training thread.
   */
  public static float[] lookUp(
      TrainSession session, EncodedExamples batch, Scope scope, int group) {
    EncodedRows encoded = scope == Scope.CONTEXT ? batch.context() : batch.candidate();
    int width = session.layout().groups().get(group).width();
    int[] slots = new int[encoded.rows() * session.layout().slotWidth(scope, group)];
    session.rows().bind(batch, true);
    session.rows().slots(scope, group, encoded, slots);
    float[] found = new float[Math.multiplyExact(slots.length, width)];
    for (int i = 0; i < slots.length; i++) {
      session.rows().rows(group).get(slots[i] * width, found, i * width, width);
    }
    return found;
  }
}
