package dev.wukong.serving.gating;

/**
 * An example with what was said of it before anybody had learned from it.
 *
 * @param task its index
 * @param label 0 to 1
 * @param weight at least 0
 * @param healthy probability by the last state that was promoted
 * @param candidate by what training has made
 * @param served by what answered
 * @param slices numbers of the slices that it is in
 */
@SuppressWarnings("ArrayRecordComponent") // Added up, never compared.
public record Judged(
    int task,
    float label,
    float weight,
    float healthy,
    float candidate,
    float served,
    int[] slices) {
  /** What a scorer said. */
  float by(Scorer scorer) {
    return switch (scorer) {
      case HEALTHY -> healthy;
      case CANDIDATE -> candidate;
      case SERVED -> served;
    };
  }
}
