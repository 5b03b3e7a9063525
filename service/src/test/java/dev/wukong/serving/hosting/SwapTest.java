package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.proto.v1.ModelStatus;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.VersionStatus;
import dev.wukong.proto.v1.VersionStatus.State;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SwapTest {
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private static final Map<String, Object> CONTEXT = Map.of("user", 101, "age", 1);
  private static final List<Map<String, Object>> CANDIDATES =
      List.of(
          Map.of("item", 3, "price", 2, "picture", List.of(0, 0)),
          Map.of("item", 9, "picture", List.of(1, 0)));

  @TempDir Path folder;

  private Path root() {
    return folder.resolve("bundles");
  }

  private static void awaitVersion(Served served, long version) throws Exception {
    served.awaitServing("tiny", version);
  }

  private static ModelStatus status(Served served) {
    try (RankingClient client = RankingClient.over(served.channel(), "tiny", DEADLINE)) {
      return client.model().getStatus();
    }
  }

  @Test
  void poll_newVersionsUnderLoad_failNoRequestAndMixNoVersions() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    try (Served served = Served.start(root());
        ExecutorService callers = Executors.newFixedThreadPool(3)) {
      awaitVersion(served, 1);
      AtomicBoolean done = new AtomicBoolean();
      CountDownLatch answered = new CountDownLatch(3);
      List<Future<Map<Long, Integer>>> calls = new ArrayList<>();
      for (int c = 0; c < 3; c++) {
        calls.add(callers.submit(() -> load(served, answered, done)));
      }
      assertThat(answered.await(60, TimeUnit.SECONDS)).isTrue();
      for (int version = 2; version <= 6; version++) {
        new TinyModel(version).write(root(), "tiny", version);
        awaitVersion(served, version);
      }
      done.set(true);
      Map<Long, Integer> answers = new HashMap<>();
      for (Future<Map<Long, Integer>> call : calls) {
        call.get(60, TimeUnit.SECONDS)
            .forEach((version, count) -> answers.merge(version, count, Integer::sum));
      }
      assertThat(answers.keySet()).contains(1L, 6L);
      Served.await(
          "all old versions are unloaded",
          () ->
              status(served).getVersionsList().stream()
                  .skip(1)
                  .map(VersionStatus::getState)
                  .allMatch(state -> state == State.STATE_UNLOADED));
    }
  }

  /**
   * Calls until done and once more; every answer is that of the version it names. Returns answers
   * by version.
   */
  private static Map<Long, Integer> load(
      Served served, CountDownLatch answered, AtomicBoolean done) {
    Map<Long, Integer> answers = new HashMap<>();
    try (RankingClient client = RankingClient.over(served.channel(), "tiny", DEADLINE)) {
      PredictRequest request = client.packer().pack(CONTEXT, CANDIDATES);
      boolean last;
      do {
        last = done.get();
        Prediction prediction = client.predict(request);
        long version = prediction.response().getVersion().getBundle();
        check(prediction, new TinyModel((int) version));
        answers.merge(version, 1, Integer::sum);
        answered.countDown();
      } while (!last);
    }
    return answers;
  }

  private static void check(Prediction prediction, TinyModel model) {
    for (int i = 0; i < CANDIDATES.size(); i++) {
      assertThat(prediction.probability(i, 0))
          .isCloseTo(
              TinyModel.probability(model.logit(CONTEXT, CANDIDATES.get(i)), 0), within(1e-6f));
    }
  }

  @Test
  void poll_newerBundleWithAFlippedByte_isReportedAndTheOldOneServes() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    try (Served served = Served.start(root())) {
      awaitVersion(served, 1);
      Path staged = folder.resolve("staged");
      Path bad = new TinyModel(2).write(staged, "tiny", 2);
      Path graph = bad.resolve("predict.onnx");
      byte[] bytes = Files.readAllBytes(graph);
      bytes[bytes.length / 2] ^= 1;
      Files.write(graph, bytes);
      Files.move(bad, root().resolve("tiny").resolve("2"));

      Served.await(
          "version 2 is refused",
          () -> status(served).getVersions(0).getState() == State.STATE_FAILED);

      assertThat(status(served).getVersions(0).getMessage())
          .contains("predict.onnx")
          .contains("sha256");
      assertThat(status(served).getServing().getBundle()).isEqualTo(1);
      try (RankingClient client = RankingClient.over(served.channel(), "tiny", DEADLINE)) {
        check(client.predict(CONTEXT, CANDIDATES), new TinyModel(1));
      }

      new TinyModel(3).write(root(), "tiny", 3);
      awaitVersion(served, 3);
    }
  }

  @Test
  void poll_goldenRowsWrong_isReportedWithRowAndTask() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    new TinyModel(2).write(root(), "tiny", 2, 0.01f);
    try (Served served = Served.start(root())) {
      awaitVersion(served, 1);
      ModelStatus status = status(served);
      assertThat(status.getVersions(0).getState()).isEqualTo(State.STATE_FAILED);
      assertThat(status.getVersions(0).getMessage())
          .startsWith(
              "golden rows of model 'tiny' version 2, predict.onnx: row 0, task 'click': expected"
                  + " ");
    }
  }

  @Test
  void start_againWithRowsInTheStore_answersAlike() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    for (int i = 0; i < 2; i++) {
      try (Served served = Served.start(root(), "wukong.rows.resident=1KB")) {
        awaitVersion(served, 1);
        try (RankingClient client = RankingClient.over(served.channel(), "tiny", DEADLINE)) {
          check(client.predict(CONTEXT, CANDIDATES), new TinyModel(1));
        }
      }
    }
  }
}
