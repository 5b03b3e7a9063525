package dev.wukong.cli;

import dev.wukong.client.RankingClient;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The service as a child process. It is stopped when this is closed, and when this process ends for
 * whatever reason it can react to.
 */
public final class ServiceProcess implements AutoCloseable {
  /** The folder of the rows, in that of its work. */
  static final String STORE = "store";

  private static final long STOP_SECONDS = 15;
  private static final Duration START = Duration.ofMinutes(2);

  private final Process process;
  private final Path log;
  private final int grpcPort;
  private final int httpPort;
  private final Thread hook;

  /**
   * Starts the service on two free ports of the loopback interface.
   *
   * @param jar the service's jar
   * @param bundles the folder of all models
   * @param work for its store and its log
   */
  public static ServiceProcess start(Path jar, Path bundles, Path work, String... more)
      throws IOException {
    if (!Files.isRegularFile(jar)) {
      throw new IOException(
          "the service's jar '" + jar + "' is missing; `mvn -q -DskipTests package` builds it");
    }
    Files.createDirectories(work);
    int grpc = freePort();
    int http = freePort();
    Path log = work.resolve("service.log");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx2g", "-jar", jar.toString()));
    command.add("--wukong.bundle-root=" + bundles.toAbsolutePath());
    command.add("--wukong.rows.store-dir=" + work.resolve(STORE).toAbsolutePath());
    command.add("--wukong.lame-duck=0s");
    command.add("--spring.grpc.server.address=127.0.0.1");
    command.add("--spring.grpc.server.port=" + grpc);
    command.add("--server.address=127.0.0.1");
    command.add("--server.port=" + http);
    command.add("--wukong.admin.port=0");
    command.addAll(List.of(more));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    return new ServiceProcess(process, log, grpc, http);
  }

  private ServiceProcess(Process process, Path log, int grpcPort, int httpPort) {
    this.process = process;
    this.log = log;
    this.grpcPort = grpcPort;
    this.httpPort = httpPort;
    this.hook = new Thread(this::stop, "stop-service");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  // The port is free for a moment only; the service says so in its log if somebody else takes it.
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  public String target() {
    return "127.0.0.1:" + grpcPort;
  }

  public String http() {
    return "http://127.0.0.1:" + httpPort;
  }

  public long pid() {
    return process.pid();
  }

  /**
   * Fails if the process has ended.
   *
   * @throws IOException with the end of its log
   */
  public void check() throws IOException {
    if (!process.isAlive()) {
      try (Stream<String> lines = Files.lines(log)) {
        List<String> all = lines.toList();
        throw new IOException(
            "the service ended with status "
                + process.exitValue()
                + ":\n"
                + String.join("\n", all.subList(Math.max(0, all.size() - 20), all.size())));
      }
    }
  }

  /**
   * A client of {@code model}, as soon as it serves.
   *
   * @throws IOException if the service ends, or does not serve the model within two minutes
   */
  public RankingClient connect(String model) throws IOException {
    long start = System.nanoTime();
    while (true) {
      check();
      try {
        return RankingClient.connect(target(), model, Duration.ofSeconds(30));
      } catch (RuntimeException e) {
        if (System.nanoTime() - start > START.toNanos()) {
          throw new IOException(
              "the service is not ready after " + START.toMinutes() + " min: " + e.getMessage(), e);
        }
        LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
      }
    }
  }

  private void stop() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
    }
  }

  @Override
  public void close() {
    stop();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // This process is ending: the hook runs by itself and finds the child gone.
      return;
    }
  }
}
