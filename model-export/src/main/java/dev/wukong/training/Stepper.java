package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes a session's steps: the one thing that differs between an optimizer beside the graph and one
 * within it. Both change the same {@link TrainState}. Owned by the training thread.
 */
sealed interface Stepper permits HostStepper, GraphStepper, DeviceStepper, NoStepper {
  /**
   * Steps that follow each other.
   *
   * @param first the number of the first, from 1
   * @param factors by step: what the configured learning rate of dense weights is multiplied by
   * @param rowFactors the same of rows
   */
  @SuppressWarnings("ArrayRecordComponent") // Read once, never compared.
  record Steps(long first, double[] factors, double[] rowFactors) {
    int count() {
      return factors.length;
    }
  }

  /**
   * Makes one step for each minibatch of {@code block}, all of them of equally many rows; a step
   * sees the weights that the one before it made.
   *
   * @return the loss and the probabilities of each minibatch before its step
   * @throws NotFiniteException where a loss is no finite number: all that there was is then as
   *     before, but rows of ids that {@code block} was the first to have are there now
   */
  List<TrainSession.Step> run(EncodedExamples block, Steps steps);

  /**
   * What steps gave.
   *
   * @param probabilities of all minibatches, in their order
   */
  static List<TrainSession.Step> results(FloatBuffer losses, ByteBuffer probabilities, int count) {
    List<TrainSession.Step> result = new ArrayList<>();
    float[] all = Buffers.copied(probabilities);
    int length = all.length / count;
    for (int k = 0; k < count; k++) {
      float[] own = Arrays.copyOfRange(all, length * k, length * (k + 1));
      result.add(new TrainSession.Step(losses.get(k), own));
    }
    return List.copyOf(result);
  }

  /** Makes the host's weights, statistics and state what the last step made of them. */
  default void settle() {}

  /** Somebody may change the host's weights, statistics or state: the next step sees them. */
  default void changed() {}

  /** Refuses the loss of step {@code number} where it is no finite number. */
  static void checkFinite(float loss, long number) {
    if (!Float.isFinite(loss)) {
      throw new NotFiniteException("the loss of step " + number + " is " + loss);
    }
  }
}
