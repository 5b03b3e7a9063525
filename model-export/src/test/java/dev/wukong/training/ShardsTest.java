package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A batch cut into ranges trains as the whole one does. */
class ShardsTest {
  private static final int IDS = 40;

  private static final Schema SCHEMA =
      new Schema(
          "cut",
          List.of(
              id("user", Scope.CONTEXT, 1),
              id("seen", Scope.CONTEXT, 3),
              id("item", Scope.CANDIDATE, 1),
              new NumberFeature("price", Scope.CANDIDATE, "price", 1, Transform.LOG1P, false)),
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

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "31, 4, 1", "64, 4, 2", "100, 4, 3", "1024, 4, 4", "1024, 16, 8"})
  void count_rowsAndThreads_oneRangeForEnoughRows(int rows, int threads, int expected) {
    assertThat(Shards.of(threads).count(rows)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"100, 3", "64, 2", "7, 7", "1000003, 8"})
  void first_anyCut_everyRowOnce(int rows, int count) {
    assertThat(Shards.first(rows, count, 0)).isZero();
    assertThat(Shards.first(rows, count, count)).isEqualTo(rows);
    for (int shard = 0; shard < count; shard++) {
      int length = Shards.first(rows, count, shard + 1) - Shards.first(rows, count, shard);
      assertThat(length).isBetween(rows / count, rows / count + 1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.05}",
        "{mode: whole_table, optimizer: sgd, learning_rate: 0.05, l2: 0.001}"
      })
  void step_threeThreads_trainsAsOneDoes(String rows) {
    // Plain descent for the dense weights: Adam would enlarge the rounding of gradients near 0.
    String training =
        """
        batch: 256
        threads: %d
        dense: {optimizer: sgd, learning_rate: 0.1}
        rows: %s
        clip_norm: 1
        """;
    List<Float> losses = new ArrayList<>();
    List<Float> cut = new ArrayList<>();
    Map<String, double[]> one = train(training.formatted(1, rows), losses);
    Map<String, double[]> three = train(training.formatted(3, rows), cut);
    assertThat(cut).hasSameSizeAs(losses);
    for (int i = 0; i < cut.size(); i++) {
      assertThat(cut.get(i)).isCloseTo(losses.get(i), within(2e-6f));
    }
    assertThat(three.keySet()).isEqualTo(one.keySet());
    one.forEach(
        (name, expected) -> {
          // Sums of up to 256 terms in another order, over ten steps.
          assertThat(three.get(name)).as(name).containsExactly(expected, within(2e-5));
        });
  }

  @Test
  void score_threeThreads_eachRowWithItsOwnContext() {
    try (TrainSession one = session("{batch: 256, threads: 1}");
        TrainSession three = session("{batch: 256, threads: 3}")) {
      EncodedExamples examples = batch(201, 5);
      float[] expected = one.score(examples);
      float[] actual = three.score(examples);
      assertThat(actual).hasSameSizeAs(expected);
      for (int i = 0; i < actual.length; i++) {
        assertThat(actual[i]).isCloseTo(expected[i], within(1e-6f));
      }
    }
  }

  /** Rows and their state, too. */
  private static Map<String, double[]> train(String training, List<Float> losses) {
    try (TrainSession session = session(training)) {
      for (int i = 0; i < 10; i++) {
        losses.add(session.step(batch(i == 9 ? 70 : 256, i), 1).loss());
      }
      return GraphStepperTest.everything(session);
    }
  }

  private static TrainSession session(String training) {
    RankerConfig model =
        RankerConfig.read(
            TrainSessionTest.yaml(
                """
                embedding: {width: 8, deviation: 0.3}
                layers: 2
                fm_embeddings: 3
                linear_embeddings: 4
                rank: 3
                fm_mlp: {hidden: [16], dropout: 0.2}
                head: {hidden: [16]}
                """));
    return new TrainSession(
        model,
        model.layout(SCHEMA),
        TrainingConfig.read(TrainSessionTest.yaml(training)),
        new Device.Cpu(),
        space -> IDS + 2);
  }

  private static EncodedExamples batch(int rows, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] context = random.longs(rows * 4L, 0, IDS).map(id -> RowKey.FIRST + id).toArray();
    long[] candidate = random.longs(rows, 0, IDS).map(id -> RowKey.FIRST + id).toArray();
    float[] prices = new float[rows];
    float[] labels = new float[rows * 2];
    float[] weights = new float[rows * 2];
    for (int i = 0; i < rows; i++) {
      context[i * 4 + 3] = RowKey.NONE;
      prices[i] = random.nextFloat() * 100;
      labels[i * 2] = random.nextInt(2);
      labels[i * 2 + 1] = random.nextInt(2);
      weights[i * 2] = random.nextFloat() + 0.5f;
      // Only few examples have the second label, and their number differs from range to range.
      weights[i * 2 + 1] = i % 7 == 0 && i < rows / 2 ? 1 : 0;
    }
    return new EncodedExamples(
        new EncodedRows(rows, context, new float[0], new float[0]),
        new EncodedRows(rows, candidate, new float[0], prices),
        labels,
        weights);
  }
}
