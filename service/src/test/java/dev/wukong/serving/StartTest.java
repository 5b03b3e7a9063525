package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ClassPathResource;

/** What a start says that fails, and one that does not. */
@ExtendWith(OutputCaptureExtension.class)
class StartTest {
  @TempDir private Path folder = Path.of("");

  private Path root() {
    return folder.resolve("bundles");
  }

  /** The one line that the failed start logs; fails where there is more than one, or a trace. */
  private String refusal(CapturedOutput output, String... settings) {
    assertThatThrownBy(() -> Served.start(root(), settings)).isNotNull();
    List<String> lines = output.getAll().lines().toList();
    assertThat(lines)
        .noneMatch(line -> line.contains("\tat "))
        .noneMatch(line -> line.contains(" WARN ") && !line.contains("bundles are expected in"));
    List<String> errors = lines.stream().filter(line -> line.contains(" ERROR ")).toList();
    assertThat(errors).hasSize(1);
    assertThat(lines.getLast()).isEqualTo(errors.getFirst());
    String before = "The service does not start: ";
    return errors.getFirst().substring(errors.getFirst().indexOf(before) + before.length());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "wukong.poll=-1s | wukong.poll is -1s, allowed is more than 0s, up to 24h",
        "spring.grpc.server.inbound.message.max-size=4GB |"
            + " spring.grpc.server.inbound.message.max-size is 4294967296 bytes, allowed is 1B to"
            + " 2147483647B",
        "wukong.versions.shop=latest:0 | wukong.versions.shop is 'latest:0', allowed are latest,"
            + " latest:<count> of 1 or more, all, manual, and versions with '+' between, such as"
            + " 3+5",
        "wukong.poll=0s | wukong.poll is 0s, allowed is more than 0s, up to 24h",
        "wukong.poll=soon | wukong.poll is 'soon', allowed is a time such as 500ms, 2s or 5m",
        "wukong.lame-duck=-1s | wukong.lame-duck is -1s, allowed are 0s to 24h",
        "wukong.engine.device=tpu"
            + " | wukong.engine.device is 'tpu', allowed are cpu, cuda:0, cuda:1, ..., and several"
            + " GPUs with commas between, each once",
        "wukong.engine.device=cuda:0,cpu"
            + " | wukong.engine.device is 'cuda:0,cpu', allowed are cpu, cuda:0, cuda:1, ..., and"
            + " several GPUs with commas between, each once",
        "wukong.engine.device=cuda:0,cuda:0"
            + " | wukong.engine.device is 'cuda:0,cuda:0', allowed are cpu, cuda:0, cuda:1, ...,"
            + " and several GPUs with commas between, each once",
        "wukong.engine.fallback=maybe"
            + " | wukong.engine.fallback is 'maybe', allowed are none and cpu",
        "wukong.engine.cuda.streams=0 | wukong.engine.cuda.streams is 0, allowed are 1 to 16",
        "wukong.engine.cuda.memory=-1B"
            + " | wukong.engine.cuda.memory is -1B, allowed are 0B (all that is free) and 16MB"
            + " or more",
        "wukong.engine.cuda.memory=10"
            + " | wukong.engine.cuda.memory is 10B, allowed are 0B (all that is free) and 16MB"
            + " or more",
        "wukong.engine.cuda.arena=huge"
            + " | wukong.engine.cuda.arena is 'huge', allowed are same-as-requested"
            + " and next-power-of-two",
        "wukong.online.device=gpu"
            + " | wukong.online.device is 'gpu', allowed are cpu, cuda:0, cuda:1, ..., and nothing"
            + " for the first of wukong.engine.device",
        "wukong.engine.threads=-1"
            + " | wukong.engine.threads is -1, allowed are 1 to 1024, and 0 for one a"
            + " processor, up to 4",
        "wukong.engine.threads=two"
            + " | wukong.engine.threads is 'two', allowed is a whole number",
        "wukong.engine.spin=maybe | wukong.engine.spin is 'maybe', allowed are true and false",
        "wukong.engine.precision=fp8"
            + " | wukong.engine.precision is 'fp8', allowed are fp32 and fp16",
        "wukong.limits.resets=0 | wukong.limits.resets is 0, allowed is 1 or more",
        "wukong.limits.connections=0 | wukong.limits.connections is 0, allowed is 1 or more",
        "wukong.limits.connections-per-address=0 | wukong.limits.connections-per-address is 0,"
            + " allowed is 1 or more",
        "wukong.tls.ssl-bundle=none | there is no SSL bundle 'none'; set"
            + " spring.ssl.bundle.pem.none.keystore.certificate and"
            + " spring.ssl.bundle.pem.none.keystore.private-key",
        "wukong.tls.client-auth=maybe"
            + " | wukong.tls.client-auth is 'maybe', allowed are auto, need, want and none",
        "wukong.roles.admin.names=me | wukong.roles.admin.names has 'me', allowed are names in"
            + " certificates such as dns:ranker.example.com, uri:spiffe://shop/* and cn:ranker",
        "wukong.roles.admin.tokens-file=/none/x | wukong.roles.admin.tokens-file is '/none/x',"
            + " which cannot be read: /none/x: there is no such file or folder",
        "wukong.roles.oper.names=cn:me | there is no property 'wukong.roles.oper.names', the"
            + " closest is 'wukong.roles.label.names'; --help prints all",
        "wukong.feedback.key-file=/none/x | wukong.feedback.key-file is '/none/x', which cannot be"
            + " read: /none/x: there is no such file or folder",
        "wukong.feedback.rate=-1"
            + " | wukong.feedback.rate is -1.0, allowed are 0 (no bound) to 10000000",
        "wukong.cluster.mirror=true | wukong.cluster.mirror is true, allowed is false but where"
            + " replicas train together and keep rows of their own, with"
            + " wukong.cluster.kafka.addresses and wukong.rows.store=rocks",
        "wukong.bundles.trusted-keys=/none/x | wukong.bundles.trusted-keys are [/none/x]: key file"
            + " '/none/x' cannot be read: /none/x: there is no such file or folder",
        "wukong.online.signing-key=/none/x | wukong.online.signing-key is '/none/x': key file"
            + " '/none/x' cannot be read: /none/x: there is no such file or folder",
        "wukong.online.gate.mode=loud"
            + " | wukong.online.gate.mode is 'loud', allowed are direct, gated, canary and shadow",
        "wukong.online.gate.patience=10s | wukong.online.gate.patience is 10s, allowed is more than"
            + " wukong.online.gate.every (60s)",
        "wukong.online.gate.harm=NaN"
            + " | wukong.online.gate.harm is NaN, allowed is a number above 0",
        "wukong.online.gate.canary=0.5,0.1 | wukong.online.gate.canary is [0.5, 0.1], allowed is 1"
            + " to 10 shares above 0 and at most 1, each more than the one before",
        "wukong.online.gate.canary=0 | wukong.online.gate.canary is [0.0], allowed is 1 to 10"
            + " shares above 0 and at most 1, each more than the one before",
        "wukong.batching.max-rows=0 | wukong.batching.max-rows is 0, allowed is 1 or more",
        "wukong.batching.max-wait=0s | wukong.batching.max-wait is 0s, allowed is more than 0s, up"
            + " to 24h",
        "wukong.batching.queue-rows=7 | wukong.batching.queue-rows is 7, allowed is"
            + " wukong.batching.max-rows (2048) or more",
        "wukong.limits.candidates=0 | wukong.limits.candidates is 0, allowed is 1 or more",
        "wukong.limits.candidates=99999 | wukong.limits.candidates is 99999, allowed is"
            + " wukong.batching.queue-rows (65536) or less",
        "wukong.limits.contexts=0 | wukong.limits.contexts is 0, allowed is 1 or more",
        "wukong.limits.in-flight=0 | wukong.limits.in-flight is 0, allowed is 1 or more",
        "wukong.limits.default-deadline=20s | wukong.limits.default-deadline is 20s, allowed is at"
            + " most wukong.limits.max-deadline (10s)",
        "wukong.limits.default-deadline=0s"
            + " | wukong.limits.default-deadline is 0s, allowed is more than 0s, up to 24h",
        "wukong.rows.store=disk | wukong.rows.store is 'disk', allowed are rocks, memory and redis",
        "wukong.rows.store=redis"
            + " | wukong.rows.redis.addresses are none, needed is one host:port or more",
        "wukong.rows.store-cache=1KB"
            + " | wukong.rows.store-cache is 1024B, allowed is 1MB or more",
        "wukong.rows.readers=0 | wukong.rows.readers is 0, allowed are 1 to 1024",
        "wukong.rows.resident=0 | wukong.rows.resident is 0B, allowed is 1B or more",
        "wukong.rows.resident=much"
            + " | wukong.rows.resident is 'much', allowed is a size such as 512MB or 2GB",
        "wukong.online.model=No | wukong.online.model is No, allowed is a name of 1 to 64 of a-z,"
            + " 0-9, '_' and '-'",
        "wukong.online.batch=0 | wukong.online.batch is 0, allowed are 1 to 65536",
        "wukong.online.rate=-1 | wukong.online.rate is -1.0, allowed is 0 (what suits the batch) to"
            + " 1000.0",
        "wukong.online.negatives=-1 | wukong.online.negatives is -1.0, allowed is more than 0, up"
            + " to 1",
        "wukong.online.horizon=9m | wukong.online.window is 600s, allowed is 0s up to 480s:"
            + " window and grace must be over within wukong.online.horizon",
        "wukong.online.grace=2d | wukong.online.grace is 48h, allowed is 0s up to 24h: window and"
            + " grace must be over within wukong.online.horizon",
        "wukong.online.window=-1s | wukong.online.window is -1s, allowed is 0s up to 86340s: window"
            + " and grace must be over within wukong.online.horizon",
        "wukong.online.windows.click=-1s | wukong.online.windows.click is -1s, allowed is 0s up to"
            + " 86340s: window and grace must be over within wukong.online.horizon",
        "wukong.online.grace=-1s | wukong.online.grace is -1s, allowed is 0s up to 24h: window and"
            + " grace must be over within wukong.online.horizon",
        "wukong.online.exposure=48h | wukong.online.exposure is 48h, allowed is 1s up to"
            + " wukong.online.horizon, 24h",
        "wukong.online.linger=-1s | wukong.online.linger is -1s, allowed is 0s (no longer) or"
            + " more",
        "wukong.online.stall-breaker=maybe | wukong.online.stall-breaker is 'maybe', allowed are"
            + " true and false",
        "wukong.online.sample=2 | wukong.online.sample is 2.0, allowed is more than 0, up to 1",
        "wukong.online.sights=256 | wukong.online.sights is 256, allowed are 1 to 255",
        "wukong.online.events-quota=1KB"
            + " | wukong.online.events-quota is 1024B, allowed is 1GB or more",
        "wukong.online.models=a | there is no property 'wukong.online.models', the closest is"
            + " 'wukong.online.model'; --help prints all",
        "wukong.access-log.sample=1.5 | wukong.access-log.sample is 1.5, allowed are 0 to 1",
        "wukong.access-log.sample=NaN | wukong.access-log.sample is NaN, allowed are 0 to 1",
        "wukong.access-log.refusals-per-second=-1 | wukong.access-log.refusals-per-second is -1,"
            + " allowed are 0 to 10000",
        "management.tracing.sampling.probability=2 | management.tracing.sampling.probability is"
            + " 2.0, allowed are 0 to 1",
        "management.opentelemetry.tracing.export.otlp.endpoint=localhost:4318 |"
            + " management.opentelemetry.tracing.export.otlp.endpoint is 'localhost:4318', allowed"
            + " are such as http://host:4318/v1/traces",
        "management.opentelemetry.tracing.export.otlp.transport=grpc |"
            + " management.opentelemetry.tracing.export.otlp.transport is 'grpc', allowed is http",
        "management.opentelemetry.tracing.export.otlp.endpoint=ftp://host |"
            + " management.opentelemetry.tracing.export.otlp.endpoint is 'ftp://host', allowed are"
            + " such as http://host:4318/v1/traces",
        "wukong.models=Tiny | wukong.models is [Tiny], allowed are names of 1 to 64 of a-z, 0-9,"
            + " '_' and '-', with commas between",
        "wukong.bundle-root= | wukong.bundle-root is empty, allowed is a folder",
        "server.port=70000"
            + " | server.port is 70000, allowed are 1 to 65535, and 0 for any free one",
        "spring.grpc.server.port=-2"
            + " | spring.grpc.server.port is -2, allowed are 1 to 65535, and 0 for any free one",
        "wukong.bundel-root=x | there is no property 'wukong.bundel-root', the closest is"
            + " 'wukong.bundle-root'; --help prints all",
        "wukong.versions-shop=all | there is no property 'wukong.versions-shop', the closest is"
            + " 'wukong.versions.<model>'; --help prints all",
        "wukong.versions-model=all | there is no property 'wukong.versions-model', the closest is"
            + " 'wukong.versions.<model>'; --help prints all",
        "wukong.versions=all | there is no property 'wukong.versions', the closest is"
            + " 'wukong.versions.<model>'; --help prints all",
        "wukong.versions.Shop=all | wukong.versions.Shop names no model, allowed are names of 1 to"
            + " 64 of a-z, 0-9, '_' and '-'; one with '_' or '-' cannot be named in the"
            + " environment: use the command line or a file",
        "wukong.versions.shop=newest | wukong.versions.shop is 'newest', allowed are latest,"
            + " latest:<count> of 1 or more, all, manual, and versions with '+' between, such as"
            + " 3+5",
        "wukong.batching.rows=x | there is no property 'wukong.batching.rows', the closest is"
            + " 'wukong.batching.max-rows'; --help prints all",
      })
  void start_wrongSetting_saysInOneLineWhatIsAllowed(
      String setting, String line, CapturedOutput output) {
    assertThat(refusal(output, setting)).isEqualTo(line.replace("''", "'"));
  }

  @Test
  void start_rowsInRedisOfAReplicaThatMayTrain_saysWhatItNeeds(CapturedOutput output) {
    assertThat(
            refusal(
                output,
                "wukong.online.model=ctr",
                "wukong.cluster.kafka.addresses=kafka:9092",
                "wukong.rows.store=redis",
                "wukong.rows.redis.addresses=redis:6379"))
        .isEqualTo(
            "wukong.rows.store is redis, allowed is rocks where wukong.online.model is set: it"
                + " keeps what was learned; or redis where this replica only serves, with"
                + " wukong.cluster.kafka.addresses and wukong.cluster.election=never");
  }

  @Test
  void start_encryptionOfKafkaSaidTwice_isRefused(CapturedOutput output) {
    assertThat(
            refusal(
                output,
                "wukong.online.model=ctr",
                "wukong.cluster.kafka.addresses=kafka:9092",
                "wukong.cluster.kafka.ssl-bundle=own",
                "wukong.cluster.kafka.properties.security.protocol=SSL"))
        .isEqualTo(
            "wukong.cluster.kafka.properties is [security.protocol], allowed are others than"
                + " security.protocol and those that begin with 'ssl.':"
                + " wukong.cluster.kafka.ssl-bundle says both");
  }

  @Test
  void start_windowWhereNothingIsWaitedFor_saysSo(CapturedOutput output) {
    assertThat(
            refusal(
                output,
                "wukong.online.weighting.click=fake-negative",
                "wukong.online.windows.click=10m"))
        .isEqualTo(
            "wukong.online.windows.click is 600s, allowed is 0s up to 0s: with the weighting"
                + " fake-negative nothing is waited for");
  }

  @ParameterizedTest
  @ValueSource(strings = {"server", "spring.grpc.server"})
  void start_sslBundleThatIsNone_saysWhatItNeeds(String port, CapturedOutput output) {
    assertThat(refusal(output, port + ".ssl.bundle=none"))
        .isEqualTo(
            "there is no SSL bundle 'none'; set spring.ssl.bundle.pem.none.keystore.certificate"
                + " and spring.ssl.bundle.pem.none.keystore.private-key");
  }

  @ParameterizedTest
  @ValueSource(strings = {"server", "spring.grpc.server"})
  void start_certificateThatIsMissing_saysWhich(String port, CapturedOutput output) {
    Path missing = folder.resolve("tls.crt");
    assertThat(
            refusal(
                output,
                "spring.ssl.bundle.pem.own.keystore.certificate=" + missing,
                "spring.ssl.bundle.pem.own.keystore.private-key=" + missing,
                port + ".ssl.bundle=own"))
        .startsWith("spring.ssl.bundle: ")
        .contains("'" + missing + "'");
  }

  @Test
  void start_noRedisAtItsAddress_saysSoAndNotThePassword(CapturedOutput output) {
    assertThat(
            refusal(
                output,
                "wukong.rows.store=redis",
                "wukong.rows.redis.addresses=127.0.0.1:1",
                "wukong.rows.redis.password=s3cret-word"))
        .startsWith(
            "wukong.rows.redis.addresses are [127.0.0.1:1], allowed are those of a Redis or Valkey"
                + " cluster that this process may use: cannot reach a Redis cluster at ")
        .contains("Connection refused");
    assertThat(output.getAll()).doesNotContain("s3cret");
  }

  @ParameterizedTest
  @ValueSource(strings = {"wukong.bundle-root", "wukong.rows.store-dir"})
  void start_folderIsAFile_saysWhich(String property, CapturedOutput output) throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    assertThat(refusal(output, property + "=" + file))
        .isEqualTo(
            "%s is '%s', which is a file, allowed is a folder, which may not exist yet"
                .formatted(property, file));
  }

  @Test
  void start_foldersThatAreMade_areForItsUserAlone() throws Exception {
    Path store = folder.resolve("deep/store");
    Path events = folder.resolve("deep/events");
    try (Served _ =
        Served.start(
            root(),
            "wukong.online.model=tiny",
            "wukong.rows.store-dir=" + store,
            "wukong.online.events-dir=" + events)) {
      for (Path made : List.of(store, events)) {
        assertThat(Files.getPosixFilePermissions(made))
            .isEqualTo(PosixFilePermissions.fromString("rwx------"));
      }
    }
  }

  @Test
  void start_folderAboveTheWorkingDirectory_serves() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    Path relative = Path.of("").toAbsolutePath().relativize(root().toAbsolutePath());
    assertThat(relative.toString()).startsWith("..");
    try (Served served = Served.serving(relative, "tiny", 1)) {
      assertThat(served.grpcPort()).isPositive();
    }
  }

  @Test
  void start_storeOfAnotherProcess_saysWhich(CapturedOutput output) {
    Path store = folder.resolve("store");
    try (RowStore held = RocksRowStore.open(store)) {
      assertThat(held).isNotNull();
      assertThat(refusal(output, "wukong.rows.store-dir=" + store))
          .startsWith(
              ("wukong.rows.store-dir is '%s', allowed is a folder that this process may write and"
                      + " no other process uses: ")
                  .formatted(store));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"server.port", "spring.grpc.server.port"})
  void start_portIsTaken_saysWhich(String property, CapturedOutput output) throws Exception {
    try (ServerSocket taken = new ServerSocket(0)) {
      assertThat(refusal(output, property + "=" + taken.getLocalPort()))
          .startsWith(
              "%s is %d, which cannot be taken: another process has it"
                  .formatted(property, taken.getLocalPort()));
    }
  }

  /** Beneath it is what gRPC says of any port, which is not the one of callers. */
  @Test
  void start_portOfOperatorsIsTaken_saysSo(CapturedOutput output) throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      assertThat(refusal(output, "wukong.admin.port=" + taken.getLocalPort()))
          .startsWith(
              "wukong.admin.port is %d, which cannot be taken at 127.0.0.1: another process has it"
                  .formatted(taken.getLocalPort()));
    }
  }

  /** There is no 100th GPU, whatever is built in. */
  @Test
  void start_deviceCannotBeUsed_endsWithThatMessage(CapturedOutput output) {
    assertThat(refusal(output, "wukong.engine.device=cuda:99"))
        .startsWith("wukong.engine.device: device 'cuda:99': ");
  }

  @Test
  void start_deviceOfTrainingCannotBeUsed_endsWithThatMessage(CapturedOutput output) {
    assertThat(refusal(output, "wukong.online.model=tiny", "wukong.online.device=cuda:99"))
        .startsWith("wukong.online.device: device 'cuda:99': ")
        .endsWith("; wukong.engine.fallback=cpu trains on the CPU instead");
  }

  @Test
  void start_deviceCannotBeUsedAndTheCpuMayDo_runsThereAndSaysSo(CapturedOutput output)
      throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    try (Served served =
        Served.start(
            root(),
            "wukong.engine.device=cuda:99",
            "wukong.engine.fallback=cpu",
            "wukong.online.model=tiny",
            "wukong.online.device=cuda:98")) {
      served.awaitServing("tiny", 1);
      assertThat(served.bean(EngineOptions.class).onGpu()).isFalse();
      assertThat(
              served
                  .bean(MeterRegistry.class)
                  .get("wukong.engine.device")
                  .tag("device", "cpu")
                  .gauge()
                  .value())
          .isEqualTo(1);
    }
    assertThat(output.getAll())
        .doesNotContain("wukong.engine.precision is fp16")
        .contains("device 'cuda:99'")
        .contains(": running on the CPU, as wukong.engine.fallback=cpu says")
        .contains("device 'cuda:98'")
        .contains(": training on the CPU, as wukong.engine.fallback=cpu says");
  }

  @Test
  void start_halfPrecisionOnTheCpu_saysThatItIsSlow(CapturedOutput output) {
    try (Served _ = Served.start(root(), "wukong.engine.precision=fp16")) {
      assertThat(output.getAll())
          .contains("wukong.engine.precision is fp16, and models run on the CPU");
    }
  }

  @Test
  void start_bundleRoot_saysWhatItHolds(CapturedOutput output) throws Exception {
    try (Served served = Served.start(root())) {
      Served.await("it is said", () -> output.getAll().contains("bundles are expected in"));
      assertThat(served).isNotNull();
    }
    assertThat(output.getAll()).contains(root() + ", which does not exist yet");
    Files.createDirectories(root());
    try (Served served = Served.start(root())) {
      Served.await("it is said", () -> output.getAll().contains(", which has none yet"));
      assertThat(served).isNotNull();
    }
    new TinyModel(1).write(root(), "one", 1);
    new TinyModel(1).write(root(), "two", 1);
    new TinyModel(1).write(root(), "two", 4);
    try (Served served = Served.start(root())) {
      Served.await(
          "it is said",
          () ->
              output
                  .getAll()
                  .contains(
                      "bundles are in %s: one (version 1), two (2 versions up to 4)"
                          .formatted(root())));
      assertThat(served).isNotNull();
    }
  }

  /** A flag of the JVM that is below ours but no setting of the service. */
  @Test
  void start_folderOfNativeLibraries_isNoUnknownProperty(CapturedOutput output) throws Exception {
    try (Served served = Served.start(root(), "wukong.onnxruntime.cache=" + folder)) {
      Served.await("it is said", () -> output.getAll().contains("bundles are expected in"));
      assertThat(served.bean(Environment.class).getProperty("wukong.onnxruntime.cache"))
          .isEqualTo(folder.toString());
    }
  }

  @Test
  void settings_everyPropertyThatIsBound_standsInTheHelpWithItsDefault() {
    Map<String, String> bound = new TreeMap<>();
    collect("wukong.", ServingProperties.class, bound);
    Map<String, String> listed = new TreeMap<>();
    for (Settings.Setting setting : Settings.ALL) {
      if (setting.name().startsWith("wukong.")) {
        listed.put(setting.name(), setting.fallback());
        assertThat(Settings.help()).contains("--" + setting.name() + "=" + setting.fallback());
      }
    }
    assertThat(listed).isEqualTo(bound);
  }

  @Test
  void settings_ofTheFrameworks_standInTheHelpWithTheDefaultsOfTheService() throws Exception {
    PropertySource<?> defaults =
        new YamlPropertySourceLoader()
            .load("defaults", new ClassPathResource("application.yaml"))
            .getFirst();
    List<Settings.Setting> others =
        Settings.ALL.stream().filter(setting -> !setting.name().startsWith("wukong.")).toList();
    assertThat(others.stream().map(Settings.Setting::name))
        .containsExactly(
            "spring.grpc.server.port",
            "spring.grpc.server.inbound.message.max-size",
            "server.port",
            "management.opentelemetry.tracing.export.otlp.endpoint",
            "management.tracing.sampling.probability");
    for (Settings.Setting setting : others) {
      assertThat(Objects.toString(defaults.getProperty(setting.name()), ""))
          .isEqualTo(setting.fallback());
    }
    assertThat(Settings.help()).contains("--spring.grpc.server.inbound.message.max-size=8MB ");
  }

  private static void collect(String prefix, Class<?> type, Map<String, String> to) {
    for (var component : type.getRecordComponents()) {
      String name =
          prefix + component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
      if (component.getType().isRecord()
          && (component.getType().getEnclosingClass() == ServingProperties.class
              || component.getType().getEnclosingClass() == EngineProperties.class
              || component.getType() == EngineProperties.class
              || component.getType().getEnclosingClass() == ClusterProperties.class
              || component.getType() == ClusterProperties.class
              || component.getType() == RedisProperties.class
              || component.getType() == TlsProperties.class
              || component.getType() == FeedbackProperties.class
              || component.getType() == BundlesProperties.class
              || component.getType() == RolesProperties.class
              || component.getType().getEnclosingClass() == RolesProperties.class
              || component.getType() == OnlineProperties.class
              || component.getType() == GateProperties.class)) {
        collect(name + ".", component.getType(), to);
      } else if (component.getType() == Map.class) {
        to.put(
            name
                + (type == ServingProperties.class
                    ? ".<model>"
                    : type == OnlineProperties.class ? ".<task>" : ".<name>"),
            switch (component.getName()) {
              case "versions" -> "latest";
              case "weighting" -> "plain";
              default -> "";
            });
      } else {
        to.put(name, defaultOf(type, component.getName()));
      }
    }
  }

  private static String defaultOf(Class<?> type, String name) {
    for (var parameter : type.getDeclaredConstructors()[0].getParameters()) {
      if (parameter.getName().equals(name)) {
        DefaultValue value = parameter.getAnnotation(DefaultValue.class);
        return value == null ? "none" : String.join(",", value.value());
      }
    }
    throw new AssertionError("no parameter " + name);
  }
}
