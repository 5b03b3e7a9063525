package dev.wukong.serving.predict;

import dev.wukong.data.DataException;
import java.time.Duration;

/**
 * What one request may ask for.
 *
 * @param candidates rows of the candidate block
 * @param contexts rows of the context block
 * @param inFlight requests at once
 * @param defaultDeadline of calls that have none
 * @param maxDeadline longer ones are cut to this
 */
public record PredictLimits(
    int candidates, int contexts, int inFlight, Duration defaultDeadline, Duration maxDeadline) {
  public PredictLimits {
    if (candidates < 1 || contexts < 1 || inFlight < 1) {
      throw new IllegalArgumentException(
          "limits of %d candidates, %d contexts and %d requests in flight must each be at least 1"
              .formatted(candidates, contexts, inFlight));
    }
    if (defaultDeadline.isNegative()
        || defaultDeadline.isZero()
        || defaultDeadline.compareTo(maxDeadline) > 0) {
      throw new IllegalArgumentException(
          "default-deadline is %s, allowed is more than 0 up to max-deadline (%s)"
              .formatted(defaultDeadline, maxDeadline));
    }
  }

  /**
   * Checks what another door is about to pack, before it takes memory for it.
   *
   * @throws DataException unless a request may have {@code rows} candidates
   */
  public void requireCandidates(long rows) {
    require("candidates", rows, candidates);
  }

  /**
   * The same of contexts.
   *
   * @throws DataException unless a request may have {@code rows} of them
   */
  public void requireContexts(long rows) {
    require("context", rows, contexts);
  }

  private static void require(String block, long rows, int most) {
    if (rows < 1 || rows > most) {
      throw new DataException(wrongRows(block, rows, most));
    }
  }

  /** What is said of a block with a number of rows that is not allowed. */
  static String wrongRows(String block, long rows, int most) {
    return "%s.rows is %d; 1 to %d are allowed".formatted(block, rows, most);
  }
}
