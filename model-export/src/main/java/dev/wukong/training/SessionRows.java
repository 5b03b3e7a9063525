package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Scope;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

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

  /**
   * Does with the rows of some minibatches what processors do in a step on a device: finds them and
   * their slots; where rows come and go, fills them in and takes them back, too. Called by the
   * training thread of a session whose rows are those that steps touch.
   *
   * @param comeAndGo whether rows come from the host and go back
   */
  public static void move(TrainSession session, EncodedExamples examples, boolean comeAndGo) {
    if (!(session.rows() instanceof TouchedRows rows)) {
      throw new IllegalArgumentException("the session trains whole tables");
    }
    boolean _ = rows.find(examples, true);
    FeatureBlocks features = new FeatureBlocks(session.layout(), session.buffers());
    List<RowBlock> _ = features.of(rows, examples.context(), examples.candidate());
    if (comeAndGo) {
      rows.fill();
      for (int group = 0; group < session.layout().groups().size(); group++) {
        int width = rows.store(group).slotWidth();
        List<FloatBuffer> states = new ArrayList<>();
        for (int slot = 0; slot * width < rows.store(group).stateWidth; slot++) {
          FloatBuffer state = session.buffers().floats("moved" + slot, rows.size(group) * width);
          rows.state(group, slot, state);
          states.add(state);
        }
        rows.take(group, rows.rows(group), states);
      }
    }
  }
}
