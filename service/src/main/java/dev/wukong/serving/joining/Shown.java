package dev.wukong.serving.joining;

import dev.wukong.data.EncodedRows;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.ScoredVersion;

/**
 * A candidate that a user saw, as it was scored.
 *
 * @param scored position in the log of its prediction
 * @param position of the candidate in the request
 * @param id of the prediction
 * @param version which weights answered
 * @param encoding says how values became ids: those of another one have other meanings
 * @param context one row; none where the schema has no context features
 * @param candidate one row
 * @param probabilities [tasks], as answered
 */
@SuppressWarnings("ArrayRecordComponent") // On its way to training, never compared.
public record Shown(
    long scored,
    int position,
    PredictionId id,
    ScoredVersion version,
    long encoding,
    EncodedRows context,
    EncodedRows candidate,
    float[] probabilities) {
  /** Whether all numbers that a model is to read are finite. */
  public boolean finite() {
    return finite(context.dense())
        && finite(context.weights())
        && finite(candidate.dense())
        && finite(candidate.weights());
  }

  private static boolean finite(float[] numbers) {
    for (float number : numbers) {
      if (!Float.isFinite(number)) {
        return false;
      }
    }
    return true;
  }
}
