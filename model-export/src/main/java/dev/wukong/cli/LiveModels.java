package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleCopy;
import dev.wukong.client.FeedbackClient;
import dev.wukong.client.LearningProgress;
import dev.wukong.client.RankingClient;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.simulator.Simulator;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * One trained model twice, at a service or at the replicas of one: the one learns from feedback,
 * the other is frozen. One thread.
 */
final class LiveModels implements AutoCloseable {
  /** The name of the model that learns. */
  static final String LEARNS = "learns";

  /** The name of the one that does not. */
  static final String FROZEN = "frozen";

  private static final Duration DEADLINE = Duration.ofSeconds(10);

  /** Replicas take turns; what one that ends leaves without an answer, another is asked. */
  private static final Map<String, ?> REPLICAS =
      Map.of(
          "loadBalancingConfig",
          List.of(Map.of("round_robin", Map.of())),
          "methodConfig",
          List.of(
              Map.of(
                  "name",
                  List.of(Map.of("service", RankingServiceGrpc.SERVICE_NAME)),
                  "retryPolicy",
                  Map.of(
                      "maxAttempts",
                      4.0,
                      "initialBackoff",
                      "0.1s",
                      "maxBackoff",
                      "1s",
                      "backoffMultiplier",
                      2.0,
                      "retryableStatusCodes",
                      List.of("UNAVAILABLE")))));

  /** Whether there is still something to wait for. */
  @FunctionalInterface
  interface Alive {
    /**
     * Looks.
     *
     * @throws IOException where there is not, with why
     */
    void check() throws IOException;
  }

  private final ManagedChannel channel;
  private final RankingClient learns;
  private final RankingClient frozen;
  private final FeedbackClient feedback;

  /** The last that was known. */
  private LearningProgress training = new LearningProgress(0, false, "");

  private LiveModels(ManagedChannel channel, RankingClient learns, RankingClient frozen) {
    this.channel = channel;
    this.learns = learns;
    this.frozen = frozen;
    this.feedback = FeedbackClient.over(channel, refusal -> {});
  }

  /** Puts the bundle {@code trained} into {@code bundles} under both names. */
  static void write(Path trained, Path bundles) throws IOException {
    try (Bundle bundle = Bundle.open(trained)) {
      Path _ = BundleCopy.write(bundle, bundles, LEARNS);
      Path _ = BundleCopy.write(bundle, bundles, FROZEN);
    }
  }

  /** Whether {@code bundles} has both. */
  static boolean in(Path bundles) {
    return Files.isDirectory(bundles.resolve(LEARNS)) && Files.isDirectory(bundles.resolve(FROZEN));
  }

  /**
   * Those at {@code target}, as soon as both serve.
   *
   * @param target {@code host:port}; the host may have the addresses of several replicas
   * @throws IOException if {@code alive} does, or they do not serve within {@code patience}
   */
  static LiveModels at(String target, Duration patience, Alive alive) throws IOException {
    ManagedChannel channel =
        Grpc.newChannelBuilder(target, InsecureChannelCredentials.create())
            .defaultServiceConfig(REPLICAS)
            .build();
    boolean connected = false;
    try {
      long until = System.nanoTime() + patience.toNanos();
      RankingClient learns = await(channel, LEARNS, until, alive);
      RankingClient frozen = await(channel, FROZEN, until, alive);
      connected = true;
      return new LiveModels(channel, learns, frozen);
    } finally {
      if (!connected) {
        channel.shutdownNow();
      }
    }
  }

  private static RankingClient await(ManagedChannel channel, String model, long until, Alive alive)
      throws IOException {
    while (true) {
      alive.check();
      try {
        return RankingClient.over(channel, model, Duration.ofSeconds(30));
      } catch (RuntimeException e) {
        if (System.nanoTime() - until > 0) {
          throw new IOException(
              "model '%s' does not serve: %s".formatted(model, e.getMessage()), e);
        }
        LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
      }
    }
  }

  /** Users of them. */
  LiveTraffic traffic(Simulator simulator) {
    return new LiveTraffic(simulator, learns, frozen, feedback);
  }

  /**
   * How learning stands. Of several replicas only the one that trains knows, and any may answer.
   */
  LearningProgress training() {
    LearningProgress now = LearningProgress.of(channel, LEARNS, DEADLINE);
    if (now.halted() || now.examples() >= training.examples()) {
      training = now;
    }
    return training;
  }

  @Override
  public void close() {
    feedback.close();
    channel.shutdownNow();
  }
}
