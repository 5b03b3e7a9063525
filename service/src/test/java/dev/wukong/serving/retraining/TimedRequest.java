package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import java.util.List;

/**
 * A request at its simulated time, with all that will become of it.
 *
 * @param rows its candidates, each with the context beside it
 * @param exposed positions of the candidates that a user sees
 * @param labels what is said of them, in any order
 * @param truth [candidates] the exact probability of what is measured; what came of it, 0 or 1,
 *     where nobody knows that
 */
@SuppressWarnings("ArrayRecordComponent") // On its way through a loop, never compared.
record TimedRequest(
    long atMs,
    EncodedExamples rows,
    int[] exposed,
    long exposedMs,
    List<Label> labels,
    double[] truth) {
  /** A label that comes at {@code atMs}. */
  record Label(int position, String task, float value, long atMs) {}
}
