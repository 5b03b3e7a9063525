package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.data.RowSource;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.testing.Answer;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(Lifecycle.PER_CLASS)
class PredictServiceTest {
  private static final Duration DEADLINE = Duration.ofMinutes(2);

  /** An item whose row the model cannot compute with. */
  private static final long BROKEN = 199;

  private final TinyModel model = new TinyModel(1);
  private Served served;
  private RankingClient client;

  @BeforeAll
  void start(@TempDir Path root) throws Exception {
    model.withBrokenItem(BROKEN).write(root.resolve("bundles"), "tiny", 3);
    served =
        Served.start(
            root.resolve("bundles"),
            "wukong.batching.max-rows=8",
            "wukong.limits.candidates=1000",
            "wukong.limits.in-flight=64",
            "spring.grpc.server.inprocess.name=predict-test");
    served.awaitServing("tiny", 3);
    client = RankingClient.over(served.channel(), "tiny", DEADLINE);
  }

  @AfterAll
  void stop() {
    served.close();
  }

  @Test
  void predict_everyKindOfValue_givesTheAnswerComputedByHand() {
    Map<String, Object> context = Map.of("user", 117, "age", 0.5f);
    List<Map<String, Object>> candidates =
        List.of(
            Map.of(
                "item",
                7,
                "tags",
                List.of("red", "日本"),
                "tag_weights",
                List.of(1.5, 0.5),
                "price",
                3.5,
                "picture",
                List.of(0.25, -0.5)),
            Map.of(
                "item",
                200,
                "tags",
                List.of("x", "red", "green", "blue"),
                "tag_weights",
                List.of(9, 1, 2, 3),
                "picture",
                List.of(0, 0)),
            Map.of("item", 987654321, "price", 100, "picture", List.of(1, 1)));

    Prediction prediction = client.predict(context, candidates);

    for (int i = 0; i < candidates.size(); i++) {
      double logit = model.logit(context, candidates.get(i));
      for (int task = 0; task < 2; task++) {
        assertThat(prediction.probability(i, task))
            .isCloseTo(TinyModel.probability(logit, task), within(1e-6f));
      }
    }
    assertThat(prediction.response().getVersion().getBundle()).isEqualTo(3);
    assertThat(prediction.response().getTasksList()).containsExactly("click", "buy");
    assertThat(prediction.response().getPredictionId().size()).isEqualTo(16);
    assertThat(prediction.response().getQuality().getDefaultedIds()).isEqualTo(1);
    assertThat(prediction.response().getQuality().getTruncatedIds()).isEqualTo(1);
    assertThat(prediction.response().getQuality().getMissingValues()).isEqualTo(1);
  }

  private static Map<String, Object> candidate(int i) {
    return Map.of(
        "item",
        1 + i % 198,
        "tags",
        List.of("red", "blue").subList(0, 1 + i % 2),
        "tag_weights",
        List.of(1, 0.5).subList(0, 1 + i % 2),
        "price",
        i % 20,
        "picture",
        List.of(0.01 * i, 0));
  }

  @Test
  void predict_moreCandidatesThanABatch_givesTheSameAsOneByOne() {
    Map<String, Object> context = Map.of("user", 149);
    List<Map<String, Object>> candidates =
        IntStream.range(0, 101).mapToObj(PredictServiceTest::candidate).toList();

    Prediction whole = client.predict(context, candidates);

    assertThat(whole.candidates()).isEqualTo(101);
    for (int i = 0; i < 101; i++) {
      Prediction single = client.predict(context, candidates.subList(i, i + 1));
      assertThat(whole.probability(i, 0)).isEqualTo(single.probability(0, 0));
      assertThat(whole.probability(i, 1)).isEqualTo(single.probability(0, 1));
      assertThat(whole.probability(i, 0))
          .isCloseTo(
              TinyModel.probability(model.logit(context, candidates.get(i)), 0), within(1e-6f));
    }
  }

  @Test
  void predictAll_rowsWithContextsOfTheirOwn_scoresEachInOrder() {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      Map<String, Object> row = new HashMap<>(candidate(i));
      row.put("user", 95 + i);
      if (i % 3 > 0) {
        row.put("age", 0.1f * i);
      }
      rows.add(row);
    }
    List<Float> scores = new ArrayList<>();
    long scored =
        client.predictAll(
            new MapRows(rows),
            20,
            prediction -> {
              for (int i = 0; i < prediction.candidates(); i++) {
                scores.add(prediction.probability(i, 1));
              }
            });

    assertThat(scored).isEqualTo(50);
    for (int i = 0; i < 50; i++) {
      assertThat(scores.get(i))
          .isCloseTo(
              TinyModel.probability(model.logit(rows.get(i), rows.get(i)), 1), within(1e-6f));
    }
  }

  @Test
  void predict_inProcess_answersWithLogitsAndTimingWhenAsked() {
    ManagedChannel channel = InProcessChannelBuilder.forName("predict-test").build();
    try (RankingClient near = RankingClient.over(channel, "", DEADLINE)) {
      Map<String, Object> context = Map.of("user", 100);
      PredictRequest request =
          near.packer().pack(context, List.of(candidate(1))).toBuilder()
              .setWantLogits(true)
              .setWantTiming(true)
              .setRequestId("r-1")
              .build();

      Prediction prediction = near.predict(request);

      assertThat(prediction.logits()[1])
          .isCloseTo((float) (-0.5 * model.logit(context, candidate(1))), within(1e-5f));
      assertThat(prediction.response().getTiming().getBatchRows()).isPositive();
      assertThat(prediction.response().getRequestId()).isEqualTo("r-1");
      assertThat(
              client
                  .predict(near.packer().pack(context, List.of(candidate(1))))
                  .response()
                  .hasTiming())
          .isFalse();
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void predict_manyAtOnce_answersEachWithItsOwn() throws Exception {
    try (ExecutorService callers = Executors.newFixedThreadPool(16)) {
      List<Future<?>> calls = new ArrayList<>();
      for (int c = 0; c < 200; c++) {
        Map<String, Object> context = Map.of("user", 100 + c % 60);
        List<Map<String, Object>> candidates =
            IntStream.range(c, c + 1 + c % 13).mapToObj(PredictServiceTest::candidate).toList();
        calls.add(
            callers.submit(
                () -> {
                  Prediction prediction = client.predict(context, candidates);
                  for (int i = 0; i < candidates.size(); i++) {
                    assertThat(prediction.probability(i, 0))
                        .isCloseTo(
                            TinyModel.probability(model.logit(context, candidates.get(i)), 0),
                            within(1e-6f));
                  }
                }));
      }
      for (Future<?> call : calls) {
        call.get(60, TimeUnit.SECONDS);
      }
    }
  }

  private double metric(String name, String tag, String value) {
    return served.bean(MeterRegistry.class).get(name).tag(tag, value).counter().count();
  }

  /** Twelve candidates are two batches, each of which holds the one context. */
  @Test
  void predict_valuesWithoutARowOfTheirOwn_countsEachPositionOnce() {
    Map<String, Object> context = Map.of("user", 7);
    List<Map<String, Object>> candidates = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      candidates.add(
          switch (i) {
            // Its tags: one dropped, two unknown, one known.
            case 3 ->
                Map.of(
                    "item",
                    1,
                    "tags",
                    List.of("w", "x", "red", "y"),
                    "tag_weights",
                    List.of(1, 1, 1, 1),
                    "picture",
                    List.of(0, 0));
            // Items are hashed into two tables, which have no row of it.
            case 5 -> Map.of("item", 987654321, "picture", List.of(0, 0));
            // No item at all.
            case 11 -> Map.of("picture", List.of(0, 0));
            default -> Map.of("item", 1 + i, "price", 1, "picture", List.of(0, 0));
          });
    }
    double before = metric("wukong.predict.ids", "kind", "defaulted");

    Prediction prediction = client.predict(context, candidates);

    // The user, two tags, one item.
    assertThat(prediction.response().getQuality().getDefaultedIds()).isEqualTo(4);
    assertThat(prediction.response().getQuality().getTruncatedIds()).isEqualTo(1);
    // Age; the prices of three candidates, the item of one.
    assertThat(prediction.response().getQuality().getMissingValues()).isEqualTo(5);
    assertThat(metric("wukong.predict.ids", "kind", "defaulted") - before).isEqualTo(4);
  }

  @Test
  void predict_modelGivesInfinity_isItsDefectAndRefusesThatRequestOnly() throws Exception {
    Map<String, Object> bad = Map.of("item", BROKEN, "picture", List.of(1, 2));
    try (ExecutorService callers = Executors.newFixedThreadPool(8)) {
      List<Future<?>> calls = new ArrayList<>();
      for (int c = 0; c < 40; c++) {
        int call = c;
        calls.add(
            callers.submit(
                () -> {
                  if (call % 4 == 0) {
                    assertThatThrownBy(() -> client.predict(Map.of(), List.of(candidate(1), bad)))
                        .hasMessage(
                            "INTERNAL: model 'tiny' version 3 gives no finite result (candidate 1,"
                                + " task 'click'), and no number of the request explains it");
                  } else {
                    client.predict(Map.of(), List.of(candidate(call)));
                  }
                }));
      }
      for (Future<?> call : calls) {
        call.get(60, TimeUnit.SECONDS);
      }
    }
    assertThat(metric("wukong.predict.refusals", "reason", "not_finite")).isEqualTo(10);
  }

  @Test
  void predict_deadlinePassedOnTheWay_isDeadlineExceeded() {
    PredictRequest request = client.packer().pack(Map.of(), List.of(candidate(1)));
    Answer<PredictResponse> answer = new Answer<>();

    // A client whose deadline has passed sends nothing, so the service is called without one.
    try (ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        CancellableContext late =
            Context.current().withDeadline(Deadline.after(-1, TimeUnit.SECONDS), timer)) {
      late.run(() -> served.bean(PredictService.class).predict(request, answer));
    }

    assertThat(answer.refusal().getCode()).isEqualTo(Code.DEADLINE_EXCEEDED);
    assertThat(answer.refusal().getDescription())
        .isEqualTo("the deadline passed before the request was read");
  }

  /** Rows of maps that name the same columns. */
  private static final class MapRows implements RowSource {
    private static final List<String> COLUMNS =
        List.of("user", "age", "item", "tags", "tag_weights", "price", "picture");
    private final List<Map<String, Object>> rows;
    private int at = -1;

    MapRows(List<Map<String, Object>> rows) {
      this.rows = rows;
    }

    @Override
    public String name() {
      return "maps";
    }

    @Override
    public List<String> columns() {
      return COLUMNS;
    }

    @Override
    public boolean next() {
      at++;
      return at < rows.size();
    }

    @Override
    public long row() {
      return at + 1L;
    }

    @Override
    public @Nullable Object value(int column) {
      return rows.get(at).get(COLUMNS.get(column));
    }

    @Override
    public void close() {}
  }
}
