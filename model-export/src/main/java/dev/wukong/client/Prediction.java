package dev.wukong.client;

import com.google.protobuf.ByteString;
import dev.wukong.proto.v1.PredictResponse;
import java.nio.ByteOrder;

/** An answer of the service with its scores unpacked. */
public final class Prediction {
  private final PredictResponse response;
  private final float[] probabilities;

  Prediction(PredictResponse response) {
    this.response = response;
    this.probabilities = floats(response.getScores());
  }

  private static float[] floats(ByteString bytes) {
    float[] values = new float[bytes.size() / Float.BYTES];
    bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** Candidates scored. */
  public int candidates() {
    return probabilities.length / Math.max(1, tasks());
  }

  /** Tasks a candidate. */
  public int tasks() {
    return response.getTasksCount();
  }

  /** The probability of task {@code task} for candidate {@code candidate}. */
  public float probability(int candidate, int task) {
    return probabilities[candidate * tasks() + task];
  }

  /** A copy of all probabilities: [candidates, tasks], row-major. */
  public float[] probabilities() {
    return probabilities.clone();
  }

  /** A copy of the log-odds in the same order; empty unless the request wanted them. */
  public float[] logits() {
    return floats(response.getLogits());
  }

  /** Names it in feedback. */
  public ByteString id() {
    return response.getPredictionId();
  }

  /** Whether its features are logged, so that feedback on it can be learned from. */
  public boolean logged() {
    return response.getLogged();
  }

  /** How often the dense weights that answered had changed since their bundle. */
  public long dense() {
    return response.getVersion().getDense();
  }

  /** The answer as it came. */
  public PredictResponse response() {
    return response;
  }
}
