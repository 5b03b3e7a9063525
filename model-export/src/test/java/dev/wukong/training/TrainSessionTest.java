package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.config.Section;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
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
import java.util.List;
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
      EncodedExamples unseen = batch(200, 9999);
      // A larger batch than the configured one is the caller's mistake elsewhere; here 64 rows at a
      // time.
      float[] scores = session.score(batch(64, 9999));
      int right = 0;
      for (int i = 0; i < 64; i++) {
        right += (scores[i * 2] > 0.5) == (batch(64, 9999).labels()[i * 2] == 1) ? 1 : 0;
      }
      assertThat(unseen.rows()).isEqualTo(200);
      assertThat(right).isGreaterThan(56);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {TOUCHED, WHOLE})
  void step_sameSeedAndThreads_sameWeights(String training) {
    assertThat(run(training)).isEqualTo(run(training));
  }

  private static Object run(String training) {
    try (TrainSession session = session("attentive", training)) {
      for (int i = 0; i < 5; i++) {
        session.step(batch(i == 4 ? 17 : 64, i), 1);
      }
      return session.snapshot();
    }
  }
}
