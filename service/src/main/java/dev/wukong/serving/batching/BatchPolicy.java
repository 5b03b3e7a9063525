package dev.wukong.serving.batching;

import java.time.Duration;

/**
 * How large batches grow and how much may wait.
 *
 * @param maxRows candidates a batch, at least 1
 * @param maxWait how long after it came the first request of a batch still waits for others while
 *     there is room; at most half of the time to its deadline, whatever this says. Zero: not at all
 * @param queueRows candidates that may wait, at least {@code maxRows}
 */
public record BatchPolicy(int maxRows, Duration maxWait, int queueRows) {
  public BatchPolicy {
    if (maxRows < 1) {
      throw new IllegalArgumentException("max-rows is %d, allowed is 1 or more".formatted(maxRows));
    }
    if (queueRows < maxRows) {
      throw new IllegalArgumentException(
          "queue-rows is %d, allowed is max-rows (%d) or more".formatted(queueRows, maxRows));
    }
    if (maxWait.isNegative() || maxWait.compareTo(Duration.ofSeconds(1)) > 0) {
      throw new IllegalArgumentException("max-wait is %s, allowed are 0 to 1 s".formatted(maxWait));
    }
  }
}
