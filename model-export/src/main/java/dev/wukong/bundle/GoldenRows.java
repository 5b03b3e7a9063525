package dev.wukong.bundle;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.Task;
import java.util.List;

/**
 * Encoded inputs with the probabilities a bundle must give for them, so that a graph, its rows and
 * the engine are checked together before they serve.
 *
 * @param context R contexts; no rows where the schema has no context features
 * @param candidate B candidates
 * @param contextOf [B] each candidate's context; empty where the schema has no context features
 * @param probabilities [B, tasks], row-major
 * @param tolerance the largest allowed absolute difference
 */
@SuppressWarnings("ArrayRecordComponent") // Plain carriers of the graph's inputs, never compared.
public record GoldenRows(
    EncodedRows context,
    EncodedRows candidate,
    int[] contextOf,
    float[] probabilities,
    double tolerance) {

  /** The same inputs with the probabilities of other weights. */
  public GoldenRows by(float[] probabilities) {
    return new GoldenRows(context, candidate, contextOf, probabilities, tolerance);
  }

  /**
   * Runs the rows through {@code scorer} and compares; returns the largest difference.
   *
   * @param what is being checked, for the message: the model, its version and the graph
   * @param tasks the schema's tasks, in order
   * @param tolerance the largest allowed absolute difference: {@link #tolerance} for the graph
   *     training checked, wider for one of lower precision
   * @throws BundleException if the scorer fails, or a probability is missing, not finite or further
   *     off; the message has the worst difference, its row and task
   */
  public double check(String what, List<Task> tasks, double tolerance, GoldenScorer scorer)
      throws BundleException {
    float[] actual;
    try {
      actual = scorer.probabilities(context, candidate, contextOf);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BundleException("golden rows of %s: interrupted".formatted(what), e);
    } catch (Exception e) {
      throw new BundleException("golden rows of %s: scoring failed: %s".formatted(what, e), e);
    }
    if (actual.length != probabilities.length) {
      throw new BundleException(
          "golden rows of %s: got %d probabilities, expected %d (%d rows, %d tasks)"
              .formatted(
                  what, actual.length, probabilities.length, candidate.rows(), tasks.size()));
    }
    int worst = 0;
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      double difference = Math.abs((double) actual[i] - probabilities[i]);
      if (!(difference <= largest)) { // A NaN is the worst of all.
        worst = i;
        largest = difference;
      }
      if (Double.isNaN(difference)) {
        break;
      }
    }
    if (!(largest <= tolerance)) {
      throw new BundleException(
          "golden rows of %s: row %d, task '%s': expected %s, got %s (difference %.3g, allowed %.3g)"
              .formatted(
                  what,
                  worst / tasks.size(),
                  tasks.get(worst % tasks.size()).name(),
                  probabilities[worst],
                  actual[worst],
                  largest,
                  tolerance));
    }
    return largest;
  }
}
