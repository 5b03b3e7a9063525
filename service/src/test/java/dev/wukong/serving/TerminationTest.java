package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.RankingClient;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TerminationTest {
  /** The service in a process of its own, as the jar runs it. */
  private static Process start(Path root, Path log) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx512m",
            "--enable-native-access=ALL-UNNAMED",
            // More than 4 KB of command line: ONNX Runtime with telemetry crashes on it.
            "-Dfiller=" + "x".repeat(6000),
            "dev.wukong.serving.ServingApplication",
            "--wukong.bundle-root=" + root,
            "--wukong.rows.store-dir=" + root.resolveSibling("store"),
            "--wukong.poll=50ms",
            "--wukong.lame-duck=300ms",
            "--wukong.engine.threads=1",
            "--spring.grpc.server.port=0",
            "--wukong.admin.port=0",
            "--server.port=0");
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    builder.environment().remove("ORT_DISABLE_TELEMETRY");
    return builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
  }

  /** The port of gRPC that the process took, which its log tells. */
  private static int port(Process process, Path log) throws Exception {
    Pattern line = Pattern.compile("gRPC Server started, .*port: (\\d+)");
    int[] port = new int[1];
    Served.await(
        "the process listens",
        () -> {
          String text = Files.readString(log);
          assertThat(process.isAlive()).as(text).isTrue();
          Matcher matcher = line.matcher(text);
          port[0] = matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
          return port[0] > 0;
        });
    return port[0];
  }

  private static RankingClient connect(int port, Process process) throws Exception {
    RankingClient[] client = new RankingClient[1];
    Served.await(
        "the process serves",
        () -> {
          assertThat(process.isAlive()).isTrue();
          try {
            client[0] = RankingClient.connect("localhost:" + port, "tiny", Duration.ofMinutes(2));
            return true;
          } catch (StatusRuntimeException e) {
            return false;
          }
        });
    return client[0];
  }

  @Test
  void sigterm_underLoad_losesNoAcceptedRequestAndExitsCleanly(@TempDir Path folder)
      throws Exception {
    new TinyModel(1).write(folder.resolve("bundles"), "tiny", 1);
    Path log = folder.resolve("log");
    Process process = start(folder.resolve("bundles"), log);
    AtomicInteger answered = new AtomicInteger();
    try (RankingClient client = connect(port(process, log), process);
        ExecutorService callers = Executors.newFixedThreadPool(8)) {
      PredictRequest request =
          client
              .packer()
              .pack(Map.of("user", 100), List.of(Map.of("item", 1, "picture", List.of(0, 0))));
      List<Future<Code>> ends = new ArrayList<>();
      for (int c = 0; c < 8; c++) {
        ends.add(
            callers.submit(
                () -> {
                  while (true) {
                    try {
                      client.predict(request);
                      answered.incrementAndGet();
                    } catch (StatusRuntimeException e) {
                      return e.getStatus().getCode();
                    }
                  }
                }));
      }
      Served.await("calls are under way", () -> answered.get() > 200);
      int before = answered.get();
      process.destroy();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      // A call that was never accepted finds no listener: UNAVAILABLE. Anything else would be an
      // accepted one lost.
      for (Future<Code> end : ends) {
        assertThat(end.get(60, TimeUnit.SECONDS)).isEqualTo(Code.UNAVAILABLE);
      }
      assertThat(answered.get()).isGreaterThan(before);
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(Files.readString(log)).isEqualTo(143);
  }

  @Test
  void stop_duringLameDuck_saysNotServingAndStillAnswers(@TempDir Path folder) throws Exception {
    new TinyModel(1).write(folder.resolve("bundles"), "tiny", 1);
    try (Served served = Served.start(folder.resolve("bundles"), "wukong.lame-duck=5s")) {
      served.awaitServing("tiny", 1);
      HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(served.channel());
      for (String service : List.of("tiny", "wukong.v1.RankingService")) {
        assertThat(status(health, service)).isEqualTo(ServingStatus.SERVING);
      }
      try (RankingClient client =
          RankingClient.over(served.channel(), "tiny", Duration.ofMinutes(2))) {
        Thread stopper = Thread.ofPlatform().start(served::stop);
        Served.await("health says so", () -> status(health, "tiny") == ServingStatus.NOT_SERVING);

        assertThat(client.predict(Map.of(), List.of(Map.of("picture", List.of(0, 0)))).candidates())
            .isEqualTo(1);
        stopper.join();
      }
    }
  }

  private static ServingStatus status(HealthGrpc.HealthBlockingStub health, String service) {
    return health.check(HealthCheckRequest.newBuilder().setService(service).build()).getStatus();
  }
}
