package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.ModelReadyRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** A peer as processes of its own on chosen cores, serving one graph as {@link #MODEL}. */
final class Peer implements AutoCloseable {
  /** The name under which peers serve. */
  static final String MODEL = "ranker";

  private static final Duration READY = Duration.ofMinutes(2);
  private static final int MAX_ANSWER = 64 << 20;

  private final PeerKind kind;
  private final Process process;
  private final ProcessTree tree;
  private final Path work;
  private final Path log;
  private final int port;
  private final Thread atExit = Thread.ofPlatform().unstarted(this::end);

  private Peer(PeerKind kind, Process process, Path work, Path log, int port) {
    this.kind = kind;
    this.process = process;
    this.tree = new ProcessTree(process.toHandle());
    this.work = work;
    this.log = log;
    this.port = port;
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  /**
   * Starts {@code kind} and waits until it serves {@code graph}; its log goes to the benchmark's
   * parts.
   *
   * @throws BenchmarkException if it is not installed
   * @throws IOException if it ends or does not become ready
   */
  static Peer start(
      BenchmarkContext context, String cores, PeerKind kind, PeerSettings settings, Path graph)
      throws IOException, BenchmarkException {
    Path python = python(context, kind);
    // A short path: Ray's sockets lie in it, whose names may be no longer than a hundred bytes.
    Path work = Files.createTempDirectory("peer");
    Path log =
        Files.createDirectories(context.makeParts().resolve("logs"))
            .resolve(kind.title() + settings.text().replaceAll("[^0-9]+", "-") + ".log");
    int port = freePorts();
    List<String> command = new ArrayList<>(List.of("setsid", "taskset", "-c", cores));
    command.addAll(kind.command(scripts(context), python, work));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(work.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().putAll(PeerKind.environment(settings, python, graph, port, work));
    Peer peer = new Peer(kind, builder.start(), work, log, port);
    try {
      peer.awaitReady();
      return peer;
    } catch (IOException e) {
      peer.close();
      throw e;
    }
  }

  /** Fails with what to do if {@code kind} is not installed. */
  static Path python(BenchmarkContext context, PeerKind kind) throws BenchmarkException {
    Path home =
        Path.of(
            Optional.ofNullable(System.getenv("PEERS_HOME"))
                .orElse(System.getProperty("user.home") + "/.cache/peers"));
    Path environment = home.resolve(kind.title());
    Path python = environment.resolve("bin/python");
    if (!Files.isExecutable(python)) {
      Path needs = scripts(context).resolve(kind.title()).resolve("requirements.txt");
      throw new BenchmarkException(
          ("%s is not installed: there is no %s; `python3 -m venv %s && %s/bin/pip install -r %s`"
                  + " installs it (PEERS_HOME names another folder, the option peers=%s leaves it"
                  + " out)")
              .formatted(
                  kind.title(),
                  python,
                  environment,
                  environment,
                  context.root().relativize(needs),
                  Stream.of(PeerKind.values())
                      .filter(k -> k != kind)
                      .map(PeerKind::title)
                      .reduce((a, b) -> a + "+" + b)
                      .orElseThrow()));
    }
    return python;
  }

  static Path scripts(BenchmarkContext context) {
    return context.root().resolve("service/src/test/resources/figures/peers");
  }

  /** The first of three free ports one after another: gRPC, HTTP, metrics. */
  private static int freePorts() throws IOException {
    SplittableRandom random = new SplittableRandom();
    for (int attempt = 0; attempt < 100; attempt++) {
      int port = random.nextInt(20_000, 30_000);
      if (free(port) && free(port + 1) && free(port + 2)) {
        return port;
      }
    }
    throw new IOException("no three free ports one after another between 20000 and 30000");
  }

  private static boolean free(int port) {
    try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void awaitReady() throws IOException {
    ManagedChannel channel = channel();
    long start = System.nanoTime();
    try {
      while (true) {
        if (!process.isAlive()) {
          throw new IOException("%s ended; its log: %s".formatted(kind.title(), log));
        }
        try {
          if (GRPCInferenceServiceGrpc.newBlockingStub(channel)
              .withDeadlineAfter(5, TimeUnit.SECONDS)
              .modelReady(ModelReadyRequest.newBuilder().setName(MODEL).build())
              .getReady()) {
            return;
          }
        } catch (StatusRuntimeException e) {
          if (System.nanoTime() - start > READY.toNanos()) {
            throw new IOException(
                "%s is not ready after %s: %s; its log: %s".formatted(kind.title(), READY, e, log),
                e);
          }
        }
        LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
      }
    } finally {
      channel.shutdownNow();
    }
  }

  /** A channel to the gRPC port; the caller shuts it down. */
  ManagedChannel channel() {
    return NettyChannelBuilder.forAddress("127.0.0.1", port)
        .usePlaintext()
        .maxInboundMessageSize(MAX_ANSWER)
        .build();
  }

  /** All of its processes. */
  ProcessTree tree() {
    return tree;
  }

  private void end() {
    try {
      Set<Long> pids = tree.pids();
      tree.end();
      removeSharedMemory(pids);
      try (Stream<Path> files = Files.walk(work)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Triton leaves its blocks of shared memory behind, named by the process. */
  private static void removeSharedMemory(Set<Long> pids) throws IOException {
    try (Stream<Path> blocks = Files.list(Path.of("/dev/shm"))) {
      for (Path block : blocks.toList()) {
        String name = block.getFileName().toString();
        if (pids.stream().anyMatch(pid -> name.startsWith("pytrtion" + pid + "-"))) {
          Files.deleteIfExists(block);
        }
      }
    }
  }

  @Override
  public void close() {
    Runtime.getRuntime().removeShutdownHook(atExit);
    end();
  }
}
