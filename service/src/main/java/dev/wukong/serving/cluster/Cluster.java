package dev.wukong.serving.cluster;

import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventMeters;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventSink;
import dev.wukong.serving.hosting.ModelHost;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.LongSupplier;

/**
 * What joins this process with the others: events go to the brokers, and its replica follows or
 * trains. Any thread.
 */
public final class Cluster implements AutoCloseable {
  private final KafkaEventSink sink;
  private final Replica replica;

  /** How a replica comes to train. */
  public enum Elections {
    /** By the brokers. */
    GROUP,
    /** It never does: it follows and serves. */
    NEVER
  }

  private Cluster(KafkaEventSink sink, Replica replica) {
    this.sink = sink;
    this.replica = replica;
  }

  /**
   * Joins the others.
   *
   * @param name of this replica, which no other has
   * @param model that learns
   * @param store keeps its rows and what training remembers
   * @param events the log of what this replica learns from while it trains
   * @param retention of that log
   * @param clock milliseconds since 1970-01-01 UTC
   */
  public static Cluster join(
      KafkaSettings settings,
      String name,
      Elections elections,
      String model,
      ModelHost host,
      StateStore store,
      Graphs graphs,
      EventLog events,
      EventRetention retention,
      LongSupplier clock,
      MeterRegistry registry) {
    EventMeters.watch(events, registry);
    Election election =
        switch (elections) {
          case GROUP -> new GroupElection(settings, name + "-election", model);
          case NEVER -> new NoElection();
        };
    Replica replica =
        new Replica(
            settings,
            name,
            model,
            store,
            events,
            retention,
            election,
            new AppliedCommits(host, model, store, graphs),
            clock,
            new ReplicaMeters(model, registry),
            new SequencerMeters(registry));
    replica.start();
    return new Cluster(new KafkaEventSink(settings, name, registry), replica);
  }

  /** Takes what happens here. */
  public EventSink sink() {
    return sink;
  }

  /** How this process stands among the others. */
  public Replica replica() {
    return replica;
  }

  @Override
  public void close() {
    replica.close();
    sink.close();
  }
}
