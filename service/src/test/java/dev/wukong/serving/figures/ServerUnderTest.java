package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** The service as a process of its own on chosen cores, with what the kernel says of it. */
final class ServerUnderTest implements AutoCloseable {
  /** Kernel ticks a second, as everywhere on Linux. */
  private static final double TICKS = 100;

  private static final Duration READY = Duration.ofMinutes(3);

  private final Process process;
  private final Path log;
  private final int grpcPort;
  private final int httpPort;

  /**
   * How a server is started.
   *
   * @param cores a list as {@code taskset} takes it; empty: any
   * @param jvm flags of the JVM
   * @param settings of the service, as {@code name=value}
   */
  record Options(String cores, List<String> jvm, List<String> settings) {}

  private ServerUnderTest(Process process, Path log, int grpcPort, int httpPort) {
    this.process = process;
    this.log = log;
    this.grpcPort = grpcPort;
    this.httpPort = httpPort;
  }

  /** Starts the service over {@code bundles}; its store and its log go to {@code work}. */
  static ServerUnderTest start(BenchmarkContext context, Path bundles, Path work, Options options)
      throws IOException, BenchmarkException {
    Files.createDirectories(work);
    int grpc = freePort();
    int http = freePort();
    List<String> command = new ArrayList<>();
    if (!options.cores().isEmpty()) {
      command.addAll(List.of("taskset", "-c", options.cores()));
    }
    command.add(BenchmarkContext.java().toString());
    command.addAll(options.jvm());
    command.addAll(List.of("-jar", context.jar("service").toString()));
    command.add("--wukong.bundle-root=" + bundles.toAbsolutePath());
    command.add("--wukong.rows.store-dir=" + work.resolve("store").toAbsolutePath());
    command.add("--wukong.lame-duck=0s");
    command.add("--spring.grpc.server.address=127.0.0.1");
    command.add("--spring.grpc.server.port=" + grpc);
    command.add("--server.address=127.0.0.1");
    command.add("--server.port=" + http);
    command.add("--wukong.admin.port=0");
    options.settings().forEach(setting -> command.add("--" + setting));
    Path log = work.resolve("service.log");
    return new ServerUnderTest(
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start(),
        log,
        grpc,
        http);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** A channel to the gRPC port; the caller shuts it down. */
  ManagedChannel channel() {
    return NettyChannelBuilder.forAddress("127.0.0.1", grpcPort).usePlaintext().build();
  }

  int grpcPort() {
    return grpcPort;
  }

  /** Waits until {@code model} serves. */
  void awaitServing(String model) throws IOException {
    ManagedChannel channel = channel();
    long start = System.nanoTime();
    try {
      while (true) {
        if (!process.isAlive()) {
          throw new IOException("the service ended; its log: " + log);
        }
        try {
          ServingStatus status =
              HealthGrpc.newBlockingStub(channel)
                  .withDeadlineAfter(1, TimeUnit.SECONDS)
                  .check(HealthCheckRequest.newBuilder().setService(model).build())
                  .getStatus();
          if (status == ServingStatus.SERVING) {
            return;
          }
        } catch (io.grpc.StatusRuntimeException e) {
          if (System.nanoTime() - start > READY.toNanos()) {
            throw new IOException("the service is not ready after " + READY + ": " + e, e);
          }
        }
        LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
      }
    } finally {
      channel.shutdownNow();
    }
  }

  /** Seconds of processor time that the process has taken. */
  double cpuSeconds() throws IOException {
    // After the name, which may hold blanks: field 3 is the first, 14 and 15 are wanted.
    String stat = Files.readString(proc("stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS;
  }

  /** Bytes of resident memory. */
  long residentBytes() throws IOException {
    return status("VmRSS:") * 1024;
  }

  long threads() throws IOException {
    return status("Threads:");
  }

  private long status(String field) throws IOException {
    for (String line : Files.readAllLines(proc("status"))) {
      if (line.startsWith(field)) {
        return Long.parseLong(line.substring(field.length()).strip().split(" ", -1)[0]);
      }
    }
    throw new IOException("no " + field + " in " + proc("status"));
  }

  /** Open file handles. */
  long handles() throws IOException {
    try (Stream<Path> handles = Files.list(proc("fd"))) {
      return handles.count();
    }
  }

  private Path proc(String file) {
    return Path.of("/proc", Long.toString(process.pid()), file);
  }

  /** What {@code path} of the HTTP port answers. */
  String get(String path) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path)).build(),
              BodyHandlers.ofString())
          .body();
    }
  }

  /** The sum of all series of a counter or gauge whose labels contain {@code labels}. */
  double metric(String name, String labels) throws IOException, InterruptedException {
    double sum = 0;
    for (String line : get("/actuator/prometheus").split("\n", -1)) {
      if (line.startsWith(name)
          && (line.charAt(name.length()) == '{' || line.charAt(name.length()) == ' ')
          && line.contains(labels)) {
        sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
      }
    }
    return sum;
  }

  Process process() {
    return process;
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
    }
  }
}
