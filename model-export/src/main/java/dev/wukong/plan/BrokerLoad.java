package dev.wukong.plan;

/**
 * What Kafka takes; before compression, which makes less of ids that are small.
 *
 * @param features bytes a second of predictions
 * @param labels bytes a second of what users did
 * @param commits bytes a second of deltas and states
 * @param read bytes a second that replicas read
 * @param partitions of topics that have several
 * @param diskBytes of all brokers together
 */
public record BrokerLoad(
    double features, double labels, double commits, double read, int partitions, double diskBytes) {
  /** What one partition can take without being what others wait for. */
  private static final double PARTITION = 5e6;

  private static final int FEWEST = 8;
  private static final int MOST = 256;

  static BrokerLoad of(
      Traffic traffic,
      ModelSize model,
      CommitSize commit,
      double commits,
      int followers,
      Machines machines) {
    double features = traffic.learned() * predictionBytes(traffic, model);
    double labels = traffic.learned() * (1 + traffic.seen() * traffic.labels()) * Costs.EVENT;
    double written = commits * commit.bytes();
    int partitions = FEWEST;
    while (partitions < MOST && partitions * PARTITION < Math.max(features, written)) {
      partitions *= 2;
    }
    return new BrokerLoad(
        features,
        labels,
        written,
        features + labels + written * followers,
        partitions,
        (features + labels + written) * 3600 * machines.retentionHours() * machines.replication());
  }

  /** Of a prediction as it is logged. */
  static double predictionBytes(Traffic traffic, ModelSize model) {
    return Costs.EVENT
        + 8.0 * model.contextIds()
        + traffic.candidates() * (8.0 * model.candidateIds() + 4.0 * model.numbers());
  }

  /** Bytes a second that are written. */
  public double written() {
    return features + labels + commits;
  }
}
