package dev.wukong.serving.batching;

import java.time.Duration;

/**
 * How large batches grow and how much may wait.
 *
 * @param maxRows candidates a batch, at least 1
 * @param queueRows candidates that may wait, at least {@code maxRows}
 * @param maxWait how long a request of the highest class may wait before it is run, where a queue
 *     lasts; one that would wait longer is refused at the door
 * @param runs batches of a model that run at the same time, at least 1
 */
public record BatchPolicy(int maxRows, int queueRows, Duration maxWait, int runs) {
  public BatchPolicy {
    if (maxRows < 1) {
      throw new IllegalArgumentException("max-rows is %d, allowed is 1 or more".formatted(maxRows));
    }
    if (queueRows < maxRows) {
      throw new IllegalArgumentException(
          "queue-rows is %d, allowed is max-rows (%d) or more".formatted(queueRows, maxRows));
    }
    if (!maxWait.isPositive()) {
      throw new IllegalArgumentException(
          "max-wait is %s, allowed is more than 0".formatted(maxWait));
    }
    if (runs < 1) {
      throw new IllegalArgumentException("runs is %d, allowed is 1 or more".formatted(runs));
    }
  }
}
