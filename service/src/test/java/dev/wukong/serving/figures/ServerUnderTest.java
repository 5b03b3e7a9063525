package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
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
  private static final Duration READY = Duration.ofMinutes(3);

  private final List<String> command;
  private Process process;
  private final Path log;
  private final int grpcPort;
  private final int httpPort;
  private final int adminPort;

  /**
   * How a server is started.
   *
   * @param cores a list as {@code taskset} takes it; empty: any
   * @param jvm flags of the JVM
   * @param settings of the service, as {@code name=value}
   */
  record Options(String cores, List<String> jvm, List<String> settings) {}

  private ServerUnderTest(List<String> command, Path log, int grpcPort, int httpPort, int adminPort)
      throws IOException {
    this.command = List.copyOf(command);
    this.log = log;
    this.process = launch();
    this.grpcPort = grpcPort;
    this.httpPort = httpPort;
    this.adminPort = adminPort;
  }

  /** Starts the service over {@code bundles}; its store and its log go to {@code work}. */
  static ServerUnderTest start(BenchmarkContext context, Path bundles, Path work, Options options)
      throws IOException, BenchmarkException {
    return start(context.jar("service"), bundles, work, options);
  }

  /** Starts {@code jar} likewise. */
  static ServerUnderTest start(Path jar, Path bundles, Path work, Options options)
      throws IOException {
    Files.createDirectories(work);
    int grpc = freePort();
    int http = freePort();
    int admin = freePort();
    List<String> command = new ArrayList<>();
    if (!options.cores().isEmpty()) {
      command.addAll(List.of("taskset", "-c", options.cores()));
    }
    command.add(BenchmarkContext.java().toString());
    command.addAll(options.jvm());
    command.addAll(List.of("-jar", jar.toString()));
    command.add("--wukong.bundle-root=" + bundles.toAbsolutePath());
    command.add("--wukong.rows.store-dir=" + work.resolve("store").toAbsolutePath());
    command.add("--wukong.lame-duck=0s");
    command.add("--spring.grpc.server.address=127.0.0.1");
    command.add("--spring.grpc.server.port=" + grpc);
    command.add("--server.address=127.0.0.1");
    command.add("--server.port=" + http);
    command.add("--wukong.admin.port=" + admin);
    options.settings().forEach(setting -> command.add("--" + setting));
    Path log = work.resolve("service.log");
    return new ServerUnderTest(command, log, grpc, http, admin);
  }

  private Process launch() throws IOException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(Redirect.appendTo(log.toFile()))
        .start();
  }

  /** Starts it again as it was, on the same ports, after it has ended. */
  void relaunch() throws IOException {
    process = launch();
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

  /** A channel to the operators' port; the caller shuts it down. */
  ManagedChannel adminChannel() {
    return NettyChannelBuilder.forAddress("127.0.0.1", adminPort).usePlaintext().build();
  }

  int grpcPort() {
    return grpcPort;
  }

  /** Waits until readiness says so; asks often and costs little. */
  void awaitReady() throws IOException {
    long start = System.nanoTime();
    while (!ready()) {
      if (!process.isAlive() || System.nanoTime() - start > READY.toNanos()) {
        throw new IOException("the service is not ready after " + READY + "; its log: " + log);
      }
      LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
    }
  }

  private boolean ready() throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), httpPort)) {
      socket
          .getOutputStream()
          .write(
              "GET /actuator/health/readiness HTTP/1.0\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      byte[] status = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
      return new String(status, StandardCharsets.US_ASCII).endsWith(" 200");
    } catch (ConnectException e) {
      return false;
    }
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

  /** Waits until {@code version} of {@code model} serves, for two minutes at most. */
  void awaitVersion(String model, long version) throws IOException, InterruptedException {
    long start = System.nanoTime();
    while (!get("/models/" + model).contains("\"serving\":" + version + ",")) {
      if (System.nanoTime() - start > TimeUnit.MINUTES.toNanos(2)) {
        throw new IOException(
            "version %d of '%s' does not serve: %s"
                .formatted(version, model, get("/models/" + model)));
      }
      LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
    }
  }

  /** Seconds of processor time that the process has taken. */
  double cpuSeconds() throws IOException {
    return ProcessTree.Stat.parse(Files.readString(proc("stat"))).cpuSeconds();
  }

  /** Bytes of resident memory. */
  long residentBytes() throws IOException {
    return status("VmRSS:") * 1024;
  }

  /** Bytes of resident memory that no file stands behind. */
  long anonymousBytes() throws IOException {
    return status("RssAnon:") * 1024;
  }

  /** Bytes of resident memory that are pages of files. */
  long fileBytes() throws IOException {
    return status("RssFile:") * 1024;
  }

  /** Bytes of the heap that a full collection leaves, made here and now. */
  double liveHeapBytes() throws IOException, InterruptedException {
    Process jcmd =
        new ProcessBuilder(
                BenchmarkContext.java().resolveSibling("jcmd").toString(),
                Long.toString(process.pid()),
                "GC.run")
            .redirectErrorStream(true)
            .redirectOutput(Redirect.DISCARD)
            .start();
    if (jcmd.waitFor() != 0) {
      throw new IOException("jcmd GC.run ends with status " + jcmd.exitValue());
    }
    TimeUnit.SECONDS.sleep(1); // The meter hears of a collection after its end.
    return metric("jvm_gc_live_data_size_bytes", "");
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

  /** The status with which {@code path} of the HTTP port answers JSON that is posted to it. */
  int post(String path, String json) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
                  .header("Content-Type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofString(json))
                  .build(),
              BodyHandlers.discarding())
          .statusCode();
    }
  }

  /** The sum of all series of a counter or gauge whose labels contain {@code labels}. */
  double metric(String name, String labels) throws IOException, InterruptedException {
    double sum = 0;
    boolean found = false;
    // By its name: the text of all metrics allocates megabytes, which would be measured too.
    String family = name.replaceFirst("_(total|sum|count|bucket)$", "");
    String path = "/actuator/prometheus?includedNames=" + family;
    for (String line : get(path).split("\n", -1)) {
      if (line.startsWith(name)
          && (line.charAt(name.length()) == '{' || line.charAt(name.length()) == ' ')
          && line.contains(labels)) {
        sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
        found = true;
      }
    }
    if (!found) {
      throw new IOException("the server has no metric %s with '%s'".formatted(name, labels));
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
