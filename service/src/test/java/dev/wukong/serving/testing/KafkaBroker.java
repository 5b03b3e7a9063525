package dev.wukong.serving.testing;

import dev.wukong.bench.BenchmarkContext;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;

/** A real broker, alone and its own controller, in a process of its own. */
public final class KafkaBroker implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path folder;
  private final int port;
  private Process process;

  private KafkaBroker(Path folder, int port, Process process) {
    this.folder = folder;
    this.port = port;
    this.process = process;
  }

  /** Starts one that keeps what it has in {@code folder}, which is new. */
  public static KafkaBroker start(Path folder) throws Exception {
    int port = freePort();
    return start(folder, port, port);
  }

  /**
   * The same where clients are told that it is elsewhere.
   *
   * @param port that it listens to
   * @param advertised that clients are sent to
   */
  public static KafkaBroker start(Path folder, int port, int advertised) throws Exception {
    Files.createDirectories(folder);
    int controller = freePort();
    Files.write(
        folder.resolve("broker.properties"),
        List.of(
            "process.roles=broker,controller",
            "node.id=1",
            "controller.quorum.bootstrap.servers=127.0.0.1:" + controller,
            "listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d"
                .formatted(port, controller),
            "advertised.listeners=PLAINTEXT://127.0.0.1:" + advertised,
            "controller.listener.names=CONTROLLER",
            "log.dirs=" + folder.resolve("data"),
            "auto.create.topics.enable=false",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=1",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "group.min.session.timeout.ms=1000",
            // A broker killed right after its start goes on as it was told to.
            "log.flush.interval.messages=1"));
    run(
        folder,
        "kafka.tools.StorageTool",
        "format",
        "--standalone",
        "-t",
        "AAAAAAAAAAAAAAAAAAAAAQ",
        "-c",
        "broker.properties");
    KafkaBroker broker = new KafkaBroker(folder, port, launch(folder));
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
    try (Admin admin =
        Admin.create(
            Map.of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                "127.0.0.1:" + port,
                AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                Math.toIntExact(PATIENCE.toMillis())))) {
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
