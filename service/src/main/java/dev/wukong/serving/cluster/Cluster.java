package dev.wukong.serving.cluster;

import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventMeters;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventSink;
import dev.wukong.serving.hosting.ModelHost;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.LongSupplier;

/**
 * What joins this process with the others: events go to the brokers, and its replica follows or
 * trains. Any thread.
 */
public final class Cluster implements AutoCloseable {
  private final KafkaEventSink sink;
  private final Replica replica;

  /**
   * A Lease of Kubernetes.
   *
   * @param namespace empty: that of this pod
   */
  public record Lease(String namespace, String name) {}

  /** How a replica comes to train. */
  public enum Elections {
    /** By the brokers. */
    GROUP,
    /** By a Lease of Kubernetes. */
    LEASE,
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
   * @param lease where that is how it comes to train
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
      Lease lease,
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
          case LEASE -> byLease(lease, name);
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

  private static Election byLease(Lease lease, String replica) {
    KubernetesClient client = new KubernetesClientBuilder().build();
    String namespace = lease.namespace().isEmpty() ? client.getNamespace() : lease.namespace();
    return new LeaseElection(
        client,
        namespace == null ? "default" : namespace,
        lease.name(),
        replica,
        LeaseElection.Times.USUAL);
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
