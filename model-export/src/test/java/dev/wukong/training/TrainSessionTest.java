package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.Device;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.dataformat.yaml.YAMLMapper;

class TrainSessionTest {
  private static final int IDS = 12;

  private static final Schema SCHEMA =
      new Schema(
          "toy",
          List.of(
              id("user", Scope.CONTEXT, 1),
              id("seen", Scope.CONTEXT, 3),
              new NumberFeature("age", Scope.CONTEXT, "age", 1, Transform.LOG1P, true),
              id("item", Scope.CANDIDATE, 1),
              new NumberFeature("price", Scope.CANDIDATE, "price", 2, Transform.NONE, false)),
          List.of(
              new Task("click", "click", Optional.empty(), Optional.empty()),
              new Task("buy", "buy", Optional.empty(), Optional.empty())));

  private static IdFeature id(String name, Scope scope, int maxIds) {
    return new IdFeature(
        name,
        scope,
        name,
        ValueType.INT64,
        new IdMapping.Hash(IDS),
        name,
        maxIds,
        Pooling.MEAN,
        Optional.empty());
  }

  private static final String MODEL =
      """
      type: wukong
      embedding: {width: 8, widths: {seen: 4}, counts: {item: 2}, deviation: 0.1, bottom: {hidden: [8]}}
      layers: 2
      fm_embeddings: 3
      linear_embeddings: 4
      rank: 3
      fm: %s
      fm_mlp: {hidden: [16], batch_norm: true, dropout: 0.1}
      head: {hidden: [16], batch_norm: true}
      """;

  private static final String TOUCHED =
      """
      batch: 64
      threads: 2
      dense: {optimizer: adam, learning_rate: 0.005}
      rows: {mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.05}
      clip_norm: 10
      """;

  private static final String WHOLE =
      """
      batch: 64
      threads: 2
      dense: {optimizer: adam, learning_rate: 0.005}
      rows: {mode: whole_table, optimizer: adam, learning_rate: 0.005, l2: 0.00001}
      clip_norm: 10
      warm_up: 5
      """;

  static Section yaml(String text) {
    return Section.of("test", new YAMLMapper().readTree(text));
  }

  private static TrainSession session(String fm, String training) {
    RankerConfig model = RankerConfig.read(yaml(MODEL.formatted(fm)));
    InputLayout layout = model.layout(SCHEMA);
    return new TrainSession(
        model, layout, TrainingConfig.read(yaml(training)), new Device.Cpu(), space -> IDS + 2);
  }

  /** Clicks follow a parity of user and item: no sum of single features can tell them. */
  private static EncodedExamples batch(int rows, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] context = new long[rows * 4];
    float[] contextDense = new float[rows * 2];
    long[] candidate = new long[rows];
    float[] candidateDense = new float[rows * 2];
    float[] labels = new float[rows * 2];
    float[] weights = new float[rows * 2];
    for (int i = 0; i < rows; i++) {
      long user = RowKey.FIRST + random.nextInt(IDS);
      long item = RowKey.FIRST + random.nextInt(IDS);
      context[i * 4] = user;
      for (int k = 1; k < 4; k++) {
        context[i * 4 + k] =
            random.nextInt(3) < k ? RowKey.NONE : RowKey.FIRST + random.nextInt(IDS);
      }
      contextDense[i * 2] = random.nextInt(50);
      contextDense[i * 2 + 1] = 1;
      candidate[i] = item;
      candidateDense[i * 2] = random.nextFloat();
      candidateDense[i * 2 + 1] = random.nextFloat();
      labels[i * 2] = (user + item) % 2;
      labels[i * 2 + 1] = user % 2;
      weights[i * 2] = 1;
      weights[i * 2 + 1] = labels[i * 2];
    }
    return new EncodedExamples(
        new EncodedRows(rows, context, new float[0], contextDense),
        new EncodedRows(rows, candidate, new float[0], candidateDense),
        labels,
        weights);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "low_rank", "attentive"})
  void step_touchedRows_learnsAnInteraction(String fm) {
    learns(fm, TOUCHED);
  }

  @Test
  void step_wholeTable_learnsAnInteraction() {
    learns("low_rank", WHOLE);
  }

  private static void learns(String fm, String training) {
    try (TrainSession session = session(fm, training)) {
      float first = session.step(batch(64, 0), 1).loss();
      float last = first;
      for (int i = 1; i < 600; i++) {
        last = session.step(batch(64, i), 1).loss();
      }
      assertThat(first).isBetween(1.0f, 2.0f); // Two tasks at about log 2.
      assertThat(last).isLessThan(0.4f);
      checkUnseen(session);
    }
  }

  /** 200 examples of other seeds than training's, in batches of another size. */
  private static void checkUnseen(TrainSession session) {
    int[] labelled = new int[2];
    int[] right = new int[2];
    for (int i = 0; i < 4; i++) {
      EncodedExamples unseen = batch(50, 9000 + i);
      float[] scores = session.score(unseen);
      assertThat(scores).hasSize(100);
      for (int j = 0; j < scores.length; j++) {
        if (unseen.labelWeights()[j] > 0) {
          labelled[j % 2]++;
          right[j % 2] += (scores[j] > 0.5) == (unseen.labels()[j] == 1) ? 1 : 0;
        }
      }
    }
    assertThat(labelled[0]).isEqualTo(200);
    assertThat(labelled[1]).isBetween(50, 150);
    for (int task = 0; task < 2; task++) {
      assertThat(right[task]).isGreaterThan(labelled[task] * 9 / 10);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {TOUCHED, WHOLE})
  void step_sameSeedAndThreads_sameWeights(String training) {
    assertThat(run(training)).isEqualTo(run(training));
  }

  /** Tables of two widths lie in two places; their rows come in the layout's order all the same. */
  @ParameterizedTest
  @ValueSource(strings = {TOUCHED, WHOLE})
  void rows_visited_comeByTableAndAscendingId(String training) {
    try (TrainSession session = session("plain", training)) {
      session.step(batch(64, 3), 1);
      long[] counts = new long[session.layout().tables().size()];
      List<Long> keys = new ArrayList<>();
      session
          .rows()
          .forEach(
              (table, id, row, _) -> {
                assertThat(row).hasSize(session.rowWidth(table));
                counts[table]++;
                keys.add(RowKey.of(table, id));
              });
      assertThat(keys).isSorted().doesNotHaveDuplicates();
      assertThat(session.rowCounts()).isEqualTo(counts);
      assertThat(counts).hasSize(4).doesNotContain(0);
    }
  }

  private static void check(List<Feature> features, String training) {
    InputLayout layout =
        RankerConfig.read(yaml(MODEL.formatted("plain")))
            .layout(new Schema("toy", features, SCHEMA.tasks()));
    TrainSession.check(layout, TrainingConfig.read(yaml(training)), new Device.Cpu());
  }

  @Test
  void check_inputsOfARunBeyondABuffer_namesTheLargestBatch() {
    String graph = "{batch: %d, optimizer_in: graph, steps_per_run: %d}";
    List<Feature> features = SCHEMA.features();
    assertThatThrownBy(() -> check(features, graph.formatted(1 << 20, 256)))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "training.batch is 1,048,576 and a run of the graph takes 256 (training.steps_per_run),"
                + " but an example has 3 ids of width 4 and those of a run must fit into 2 GiB;"
                + " want at most 699,050");
    check(features, graph.formatted(699_050, 256));
    check(features, graph.formatted(1 << 20, 128));
  }

  @Test
  void check_inputsOfABatchBeyondABuffer_namesTheLargestBatch() {
    List<Feature> wide = new ArrayList<>(SCHEMA.features());
    wide.add(new NumberFeature("x", Scope.CANDIDATE, "x", 1000, Transform.NONE, false));
    assertThatThrownBy(() -> check(wide, "{batch: 1000000}"))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "training.batch is 1,000,000, but an example has 1,002 numbers and those of a run must"
                + " fit into 2 GiB; want at most 535,799");
    check(wide, "{batch: 535799}");
    assertThatThrownBy(() -> check(wide, "{batch: 535800}")).isInstanceOf(ConfigException.class);
  }

  /** All that was learnt: rows and optimizer state, too. */
  private static Map<String, IntBuffer> run(String training) {
    try (TrainSession session = session("attentive", training)) {
      for (int i = 0; i < 5; i++) {
        session.step(batch(i == 4 ? 17 : 64, i), 1);
      }
      return SmallTraining.state(session);
    }
  }
}
