package dev.wukong.data;

/**
 * A minibatch: every example has a context row and a candidate row, labels and label weights [B,
 * tasks].
 */
public record EncodedExamples(
    EncodedRows context, EncodedRows candidate, float[] labels, float[] labelWeights) {
  public int rows() {
    return candidate.rows();
  }
}
