package dev.wukong.serving.testing;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.wukong.bench.BenchmarkContext;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.LoggerFactory;

/** A real broker, alone and its own controller, in a process of its own. */
public final class KafkaBroker implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  static {
    // Its clients list all their settings, and each broker that is not reached at once.
    if (LoggerFactory.getLogger("org.apache.kafka") instanceof Logger kafka) {
      kafka.setLevel(Level.ERROR);
    }
  }

  private final Path folder;
  private final int port;
  private final List<Integer> behind;
  private Process process;

  private KafkaBroker(Path folder, int port, List<Integer> behind, Process process) {
    this.folder = folder;
    this.port = port;
    this.behind = List.copyOf(behind);
    this.process = process;
  }

  /** Starts one that keeps what it has in {@code folder}, which is new. */
  public static KafkaBroker start(Path folder) throws Exception {
    return start(folder, List.of());
  }

  /**
   * The same with more doors than its own.
   *
   * @param doors ports that clients are sent to who come by the door of this number, which may be
   *     those of something between them and the broker
   */
  public static KafkaBroker start(Path folder, List<Integer> doors) throws Exception {
    return start(folder, doors, List.of());
  }

  /**
   * The same with one more door, the last one, which takes only those who have {@code client} and
   * shows {@code own}.
   */
  public static KafkaBroker secured(Path folder, Identity own, Identity client) throws Exception {
    Files.createDirectories(folder);
    Path shown = folder.resolve("shown.pem");
    Files.writeString(shown, Files.readString(own.key()) + Files.readString(own.certificate()));
    int door = freePort();
    return start(
        folder,
        List.of(door),
        List.of(
            "listener.name.d0.ssl.keystore.type=PEM",
            "listener.name.d0.ssl.keystore.location=" + shown,
            "listener.name.d0.ssl.truststore.type=PEM",
            "listener.name.d0.ssl.truststore.location=" + client.certificate(),
            "listener.name.d0.ssl.client.auth=required"));
  }

  private static KafkaBroker start(Path folder, List<Integer> doors, List<String> more)
      throws Exception {
    boolean secured = !more.isEmpty();
    Files.createDirectories(folder);
    int port = freePort();
    int controller = freePort();
    List<Integer> behind = new ArrayList<>();
    StringBuilder listeners = new StringBuilder("PLAINTEXT://127.0.0.1:" + port);
    StringBuilder advertised = new StringBuilder("PLAINTEXT://127.0.0.1:" + port);
    StringBuilder protocols = new StringBuilder("PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    for (int i = 0; i < doors.size(); i++) {
      behind.add(secured ? doors.get(i) : freePort());
      listeners.append(",D%d://127.0.0.1:%d".formatted(i, behind.getLast()));
      advertised.append(",D%d://127.0.0.1:%d".formatted(i, doors.get(i)));
      protocols.append(",D%d:%s".formatted(i, secured ? "SSL" : "PLAINTEXT"));
    }
    List<String> lines = new ArrayList<>(more);
    lines.addAll(
        List.of(
            "process.roles=broker,controller",
            "node.id=1",
            "controller.quorum.bootstrap.servers=127.0.0.1:" + controller,
            "listeners=%s,CONTROLLER://127.0.0.1:%d".formatted(listeners, controller),
            "advertised.listeners=" + advertised,
            "listener.security.protocol.map=" + protocols,
            "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=PLAINTEXT",
            "log.dirs=" + folder.resolve("data"),
            "auto.create.topics.enable=false",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=1",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "group.min.session.timeout.ms=1000"));
    Files.write(folder.resolve("broker.properties"), lines);
    run(
        folder,
        "kafka.tools.StorageTool",
        "format",
        "--standalone",
        "-t",
        "AAAAAAAAAAAAAAAAAAAAAQ",
        "-c",
        "broker.properties");
    KafkaBroker broker = new KafkaBroker(folder, port, behind, launch(folder));
    boolean ready = false;
    try {
      broker.awaitReady();
      ready = true;
      return broker;
    } finally {
      if (!ready) {
        broker.close();
      }
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static ProcessBuilder java(Path folder, List<String> arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                BenchmarkContext.java().toString(),
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1"));
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(Redirect.appendTo(folder.resolve("broker.log").toFile()));
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    return builder;
  }

  private static void run(Path folder, String... arguments) throws Exception {
    int status = java(folder, List.of(arguments)).start().waitFor();
    if (status != 0) {
      throw new IOException(
          "%s ends with %d: %s"
              .formatted(arguments[0], status, Files.readString(folder.resolve("broker.log"))));
    }
  }

  private static Process launch(Path folder) throws IOException {
    return java(folder, List.of("kafka.Kafka", "broker.properties")).start();
  }

  private void awaitReady() throws Exception {
    try (Admin admin = admin()) {
      Object _ = admin.describeCluster().nodes().get();
    } catch (ExecutionException e) {
      throw new IOException(
          "the broker does not serve: " + Files.readString(folder.resolve("broker.log")), e);
    }
  }

  /** Where it is reached. */
  public String address() {
    return "127.0.0.1:" + port;
  }

  /** The port that the door of a number leads to. */
  public int behind(int door) {
    return behind.get(door);
  }

  /** Forgets all messages that there are of a topic, as it does with old ones. */
  public void forgetAll(String topic) throws Exception {
    try (Admin admin = admin()) {
      Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
      var described =
          Objects.requireNonNull(
              admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic));
      for (var of : described.partitions()) {
        all.put(new TopicPartition(topic, of.partition()), RecordsToDelete.beforeOffset(-1));
      }
      Object _ = admin.deleteRecords(all).all().get();
    }
  }

  private Admin admin() {
    return Admin.create(
        Map.of(
            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
            "127.0.0.1:" + port,
            AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
            Math.toIntExact(PATIENCE.toMillis())));
  }

  /** Its process. */
  public ProcessHandle process() {
    return process.toHandle();
  }

  /** Ends it at once; what it has stays. */
  public void kill() throws InterruptedException {
    boolean _ = process.toHandle().destroyForcibly();
    int _ = process.waitFor();
  }

  /** Starts it again with what it had. */
  public void restart() throws Exception {
    process = launch(folder);
    awaitReady();
  }

  @Override
  public void close() {
    boolean _ = process.toHandle().destroyForcibly();
    try {
      boolean _ = process.waitFor(1, TimeUnit.MINUTES);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
