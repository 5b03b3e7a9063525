package dev.wukong.serving.cluster;

import dev.wukong.serving.embedding.RedisRowStore;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventMeters;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventSink;
import dev.wukong.serving.hosting.ModelHost;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What joins this process with the others: events go to the brokers, and its replica follows or
 * trains. Any thread.
 */
public final class Cluster implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Cluster.class);

  private final KafkaEventSink sink;
  private final Replica replica;
  private final Optional<CheckpointWriter> writer;
  private final Optional<RowMirroring> mirroring;

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

  private final Optional<Checkpoints> checkpoints;

  private Cluster(
      KafkaEventSink sink,
      Replica replica,
      Optional<CheckpointWriter> writer,
      Optional<RowMirroring> mirroring,
      Optional<Checkpoints> checkpoints) {
    this.sink = sink;
    this.replica = replica;
    this.writer = writer;
    this.mirroring = mirroring;
    this.checkpoints = checkpoints;
  }

  /**
   * Where rows are written for others.
   *
   * @param connect to Redis
   * @param widths of rows
   */
  public record Mirror(Supplier<RedisRowStore> connect, RowWidths widths) {}

  /**
   * Where this process keeps its store, and shares it.
   *
   * @param folder of the store
   * @param copy writes the store to a folder that is not there
   * @param checkpoints where others find it; none: nowhere
   * @param every time between two
   * @param mirror where rows are written for replicas that have no store of their own
   */
  public record Sharing(
      Path folder,
      Consumer<Path> copy,
      Optional<Checkpoints> checkpoints,
      Duration every,
      Optional<Mirror> mirror) {
    /** The file that says that the store in {@code folder} is to begin with a checkpoint. */
    static Path outdated(Path folder) {
      return folder.resolveSibling(folder.getFileName() + ".outdated");
    }
  }

  /**
   * Has the store in {@code folder}, which nobody has open, begin with a checkpoint where it is
   * new, or was found to be too old to follow.
   *
   * @throws IOException if the checkpoints cannot be read
   */
  public static void restore(Path folder, Checkpoints checkpoints) throws IOException {
    Path outdated = Sharing.outdated(folder);
    if (Checkpoints.hasStore(folder) && !Files.exists(outdated)) {
      return;
    }
    Optional<String> restored = checkpoints.restore(folder);
    log.info(
        "the store in {} begins with {}",
        folder,
        restored.orElse("nothing: there is no checkpoint"));
    boolean _ = Files.deleteIfExists(outdated);
  }

  /** Whether a checkpoint has what is missing; then the next start begins with it. */
  private static boolean helps(Sharing sharing, GapException gap, CommitOrder order) {
    if (sharing.checkpoints().isEmpty()) {
      return false;
    }
    Path outdated = Sharing.outdated(sharing.folder());
    try {
      Path work = sharing.folder().resolveSibling(sharing.folder().getFileName() + ".looking");
      boolean has =
          sharing
              .checkpoints()
              .get()
              .newest(work)
              .filter(one -> one.sequence() > order.sequence() && one.next() >= gap.first())
              .isPresent();
      if (has && !Files.exists(outdated)) {
        var _ = Files.createFile(outdated);
        log.error("{}: a restart begins with a checkpoint", gap.getMessage());
      }
      return has;
    } catch (IOException e) {
      log.warn("whether there is a checkpoint is not known: {}", e.getMessage());
      return false;
    }
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
   * @param sharing how the store is shared, where it is one of this process' own
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
      Optional<Sharing> sharing,
      LongSupplier clock,
      MeterRegistry registry) {
    EventMeters.watch(events, registry);
    Election election =
        switch (elections) {
          case GROUP -> new GroupElection(settings, name + "-election", model);
          case LEASE -> byLease(lease, name);
          case NEVER -> new NoElection();
        };
    RowSupply supply =
        RowSupply.of(store, (gap, order) -> helps(sharing.orElseThrow(), gap, order));
    Replica replica =
        new Replica(
            settings,
            name,
            model,
            store,
            events,
            retention,
            election,
            new AppliedCommits(host, model, store, graphs, supply),
            supply,
            clock,
            new ReplicaMeters(model, registry),
            new SequencerMeters(registry));
    BooleanSupplier trains = () -> replica.status().role() == Replica.Role.TRAINING;
    Optional<Checkpoints> checkpoints = sharing.flatMap(Sharing::checkpoints);
    Optional<CheckpointWriter> writer =
        checkpoints.map(
            to ->
                new CheckpointWriter(
                    to,
                    sharing.orElseThrow().copy(),
                    sharing.orElseThrow().folder(),
                    model,
                    name,
                    sharing.orElseThrow().every(),
                    trains,
                    clock,
                    registry));
    Optional<RowMirroring> mirroring =
        sharing
            .flatMap(Sharing::mirror)
            .map(
                mirror ->
                    new RowMirroring(settings, name, model, host, store, mirror, trains, registry));
    replica.start();
    writer.ifPresent(CheckpointWriter::start);
    mirroring.ifPresent(RowMirroring::start);
    return new Cluster(
        new KafkaEventSink(settings, name, registry), replica, writer, mirroring, checkpoints);
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
    mirroring.ifPresent(RowMirroring::close);
    writer.ifPresent(CheckpointWriter::close);
    replica.close();
    sink.close();
    checkpoints.ifPresent(Checkpoints::close);
  }
}
