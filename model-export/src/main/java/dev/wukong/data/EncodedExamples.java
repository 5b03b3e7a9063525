package dev.wukong.data;

/**
 * Encoded examples of a batch: row i of both scopes, its labels and their weights. The arrays may
 * be longer than the rows need.
 *
 * @param labels [rows, tasks]: 0 or 1
 * @param labelWeights [rows, tasks]: 0 where the label is absent
 */
@SuppressWarnings("ArrayRecordComponent") // Filled in place, batch after batch; never compared.
public record EncodedExamples(
    EncodedRows context, EncodedRows candidate, float[] labels, float[] labelWeights) {
  public int rows() {
    return candidate.rows();
  }

  /** The first {@code count} examples of the same arrays. */
  public EncodedExamples first(int count) {
    return new EncodedExamples(context.first(count), candidate.first(count), labels, labelWeights);
  }

  /** Room for {@code rows} examples of {@code encoder}'s schema. */
  public static EncodedExamples allocate(FeatureEncoder encoder, int rows) {
    int labels = Math.multiplyExact(rows, encoder.schema().tasks().size());
    return new EncodedExamples(
        encoder.allocate(Scope.CONTEXT, rows),
        encoder.allocate(Scope.CANDIDATE, rows),
        new float[labels],
        new float[labels]);
  }
}
