package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.serving.embedding.RedisSettings;
import dev.wukong.serving.testing.KafkaBroker;
import dev.wukong.serving.testing.StoreDigest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A broker, and replicas of one model that learns: each a process. One caller. */
final class ReplicaProcesses implements AutoCloseable {
  private static final double CATCH_UP_SECONDS = 180;

  private final BenchmarkContext context;
  private final Path work;
  private final Path bundles;
  private final String model;
  private final List<String> settings;
  private final List<String> addresses;
  private final Mirrored mirrored;
  private final KafkaBroker broker;
  private final List<ServerUnderTest> servers = new ArrayList<>();

  /**
   * Where those are that keep no rows.
   *
   * @param redis addresses of the cluster that has them
   * @param count of the replicas, the last ones
   */
  record Mirrored(List<String> redis, int count) {
    static final Mirrored NONE = new Mirrored(List.of(), 0);

    Mirrored {
      redis = List.copyOf(redis);
    }

    RedisSettings settings() {
      return RedisSettings.of("wukong", redis);
    }
  }

  /**
   * Starts them all, and waits until each serves and one trains.
   *
   * @param addresses of the broker, as each replica is to reach it
   * @param settings of all
   * @param mirrored those that serve what others write to Redis
   */
  ReplicaProcesses(
      BenchmarkContext context,
      Path work,
      Path bundles,
      String model,
      KafkaBroker broker,
      List<String> addresses,
      List<String> settings,
      Mirrored mirrored)
      throws Exception {
    this.mirrored = mirrored;
    this.context = context;
    this.work = work;
    this.bundles = bundles;
    this.model = model;
    this.broker = broker;
    this.addresses = List.copyOf(addresses);
    this.settings = List.copyOf(settings);
    boolean started = false;
    try {
      for (int i = 0; i < addresses.size(); i++) {
        servers.add(launch(i));
      }
      for (ServerUnderTest server : servers) {
        server.awaitReady();
      }
      int _ = awaitTrainer();
      started = true;
    } finally {
      if (!started) {
        close();
      }
    }
  }

  private Path folder(int replica) {
    return work.resolve("replica" + replica);
  }

  private ServerUnderTest launch(int replica) throws Exception {
    List<String> all = new ArrayList<>(settings);
    all.add("wukong.models=" + model);
    all.add("wukong.online.model=" + model);
    all.add("wukong.online.events-dir=" + folder(replica).resolve("events").toAbsolutePath());
    all.add("wukong.cluster.name=replica" + replica);
    all.add("wukong.cluster.kafka.addresses=" + addresses.get(replica));
    all.add("wukong.cluster.kafka.replication=1");
    all.add("wukong.cluster.kafka.partitions=4");
    if (mirrored.count() > 0) {
      all.add("wukong.rows.redis.addresses=" + String.join(",", mirrored.redis()));
      if (isMirrored(replica)) {
        all.add("wukong.rows.store=redis");
        all.add("wukong.cluster.election=never");
      } else {
        all.add("wukong.cluster.mirror=true");
      }
    }
    return ServerUnderTest.start(
        context,
        bundles,
        folder(replica),
        new ServerUnderTest.Options("", List.of("-Xmx512m"), all));
  }

  /** Whether a replica keeps no rows. */
  boolean isMirrored(int replica) {
    return replica >= addresses.size() - mirrored.count();
  }

  List<ServerUnderTest> servers() {
    return List.copyOf(servers);
  }

  ServerUnderTest server(int replica) {
    return servers.get(replica);
  }

  KafkaBroker broker() {
    return broker;
  }

  /** The replica that trains, by its own account; -1 where none does. */
  int trainer() throws InterruptedException {
    for (int i = 0; i < servers.size(); i++) {
      if (trains(i)) {
        return i;
      }
    }
    return -1;
  }

  private boolean trains(int replica) throws InterruptedException {
    try {
      return servers.get(replica).process().isAlive()
          && metric(replica, "wukong_replica_trains") > 0;
    } catch (IOException e) {
      return false; // It does not answer: it does not train either, or nobody knows.
    }
  }

  /** Waits until one trains; which. */
  int awaitTrainer() throws Exception {
    long start = System.nanoTime();
    int trainer = trainer();
    while (trainer < 0) {
      if ((System.nanoTime() - start) / 1e9 > CATCH_UP_SECONDS) {
        throw new IOException("no replica trains");
      }
      TimeUnit.MILLISECONDS.sleep(100);
      trainer = trainer();
    }
    return trainer;
  }

  double metric(int replica, String name) throws IOException, InterruptedException {
    return servers.get(replica).metric(name, "model=\"" + model + "\"");
  }

  /** Whether one of them has said this, in all of its lives. */
  boolean haveSaid(String text) throws IOException {
    for (int i = 0; i < servers.size(); i++) {
      try (Stream<String> lines = Files.lines(folder(i).resolve("service.log"))) {
        if (lines.anyMatch(line -> line.contains(text))) {
          return true;
        }
      }
    }
    return false;
  }

  /** Waits until nothing more is learned and all replicas have it; the number of commits. */
  long awaitQuiet() throws Exception {
    long start = System.nanoTime();
    long quietSince = start;
    List<Double> before = List.of();
    while ((System.nanoTime() - quietSince) / 1e9 < 8) {
      List<Double> now = new ArrayList<>();
      for (int i = 0; i < servers.size(); i++) {
        now.add(metric(i, "wukong_replica_sequence"));
      }
      boolean same = now.stream().distinct().count() == 1 && now.equals(before);
      if (!same) {
        quietSince = System.nanoTime();
      }
      before = now;
      if ((System.nanoTime() - start) / 1e9 > CATCH_UP_SECONDS) {
        throw new IOException("the replicas do not come to the same commit: " + now);
      }
      TimeUnit.MILLISECONDS.sleep(200);
    }
    return before.getFirst().longValue();
  }

  /** Ends all replicas, and compares what they have. */
  Comparison compare() throws Exception {
    servers.forEach(ServerUnderTest::close);
    List<Map<String, String>> digests = new ArrayList<>();
    try (Bundle bundle = Bundle.open(new BundleStore(bundles).path(model, 1))) {
      for (int i = 0; i < servers.size() - mirrored.count(); i++) {
        digests.add(StoreDigest.of(folder(i).resolve("store"), bundle));
      }
      if (mirrored.count() > 0) {
        digests.add(StoreDigest.mirrored(mirrored.settings(), folder(0).resolve("store"), bundle));
      }
    }
    List<String> differences = new ArrayList<>();
    int parts = digests.getFirst().size();
    for (int i = 1; i < digests.size(); i++) {
      Map<String, String> other = digests.get(i);
      boolean redis = i >= servers.size() - mirrored.count();
      for (Map.Entry<String, String> part : new TreeMap<>(digests.getFirst()).entrySet()) {
        if ((!redis || other.containsKey(part.getKey()))
            && !Objects.equals(part.getValue(), other.get(part.getKey()))) {
          differences.add("%s: %s".formatted(redis ? "Redis" : "replica" + i, part.getKey()));
        }
      }
    }
    return new Comparison(parts, differences);
  }

  /**
   * How replicas differ.
   *
   * @param parts that were compared of each
   * @param differences those that are not as the first replica has them
   */
  record Comparison(int parts, List<String> differences) {
    Comparison {
      differences = List.copyOf(differences);
    }
  }

  @Override
  public void close() {
    servers.forEach(ServerUnderTest::close);
  }
}
