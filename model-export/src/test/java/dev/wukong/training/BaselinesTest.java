package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.Device;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every baseline as ONNX Runtime runs it against the same model written out as loops over doubles:
 * what it serves, what it scores in training, and its gradients against finite differences of the
 * loops.
 */
class BaselinesTest {
  static final int ROWS = 12;
  static final int IDS = 7;

  static final Schema SCHEMA =
      new Schema(
          "plain",
          List.<Feature>of(
              id("user", Scope.CONTEXT),
              id("item", Scope.CANDIDATE),
              id("shop", Scope.CANDIDATE),
              new NumberFeature("price", Scope.CANDIDATE, "price", 1, Transform.LOG1P, false)),
          List.of(new Task("click", "click", Optional.empty(), Optional.empty())));

  private static final String MODELS =
      """
      dlrm-cat; type: dlrm, interaction: cat, top: {hidden: [7], batch_norm: true}
      dlrm-wide; type: dlrm, interaction: cat, top: {hidden: [2048, 3]}
      dlrm-dot; type: dlrm, interaction: dot, top: {hidden: [7, 5], batch_norm: true}
      dcnv2-parallel; type: dcnv2, layers: 2, deep: {hidden: [7, 5], batch_norm: true}
      dcnv2-stacked; type: dcnv2, structure: stacked, layers: 2, deep: {hidden: [7]}
      dcnv2-cross-only; type: dcnv2, structure: cross_only, layers: 2
      dcnv2-mixture; type: dcnv2, layers: 2, rank: 3, experts: 3, deep: {hidden: [7]}
      xdeepfm; type: xdeepfm, cin: [3, 2], deep: {hidden: [7], batch_norm: true}
      xdeepfm-alone; type: xdeepfm, cin: [3, 5], linear: false, deep: {hidden: []}
      autoint; type: autoint, layers: 2, attention: 6, heads: 2, deep: {hidden: [7], batch_norm: true}
      autoint-wide; type: autoint, layers: 1, attention: 6, heads: 2, scaled: false, residual: false, norm: false, linear: true, deep: {hidden: [7]}
      afn; type: afn, log_neurons: 5, afn: {hidden: [7]}, deep: {hidden: [6, 5]}
      finalmlp; type: finalmlp, first: {hidden: [6], batch_norm: true}, second: {hidden: [5, 4]}, selection: {mlp: {hidden: [7]}, first: [user], second: [item, price]}, heads: 2
      finalmlp-no-context; type: finalmlp, first: {hidden: [6]}, second: {hidden: [4]}, selection: {mlp: {hidden: [7]}}, heads: 2
      masknet-parallel; type: masknet, blocks: [6, 5], reduction: 1.5, deep: {hidden: [7]}
      masknet-serial; type: masknet, arrangement: serial, blocks: [6, 5], reduction: 0.5, embedding_norm: false
      """;

  private static IdFeature id(String name, Scope scope) {
    IdMapping ids = new IdMapping.Hash(IDS);
    return new IdFeature(
        name, scope, name, ValueType.INT64, ids, name, 1, Pooling.SUM, Optional.empty());
  }

  private static TrainSession session(String model) {
    return session(
        RankerConfig.read(
            TrainSessionTest.yaml("{embedding: {width: 4, deviation: 0.5}, " + model + "}")));
  }

  static TrainSession session(RankerConfig config) {
    // Plain descent by the gradient itself: a step's change is the gradient.
    String training =
        "{batch: 16, threads: 1, dense: {optimizer: sgd, learning_rate: 1},"
            + " rows: {mode: whole_table, optimizer: sgd, learning_rate: 1}}";
    return new TrainSession(
        config,
        config.layout(SCHEMA),
        TrainingConfig.read(TrainSessionTest.yaml(training)),
        new Device.Cpu(),
        space -> IDS + RowKey.FIRST);
  }

  static EncodedExamples examples(int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] users = new long[ROWS];
    long[] others = new long[ROWS * 2];
    float[] prices = new float[ROWS];
    float[] labels = new float[ROWS];
    float[] ones = new float[ROWS];
    for (int i = 0; i < ROWS; i++) {
      users[i] = RowKey.FIRST + random.nextInt(IDS);
      others[i * 2] = RowKey.FIRST + random.nextInt(IDS);
      others[i * 2 + 1] = RowKey.FIRST + random.nextInt(IDS);
      prices[i] = random.nextInt(100) - 20;
      labels[i] = random.nextInt(2);
      ones[i] = 1;
    }
    return new EncodedExamples(
        new EncodedRows(ROWS, users, new float[0], new float[0]),
        new EncodedRows(ROWS, others, new float[0], prices),
        labels,
        ones);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(delimiter = ';', textBlock = MODELS)
  void bothGraphs_afterAStep_equalTheModelWrittenOut(String name, String model) {
    try (TrainSession session = session(model)) {
      start(session);
      EncodedExamples examples = examples(2);
      double[][] served = new PlainBaselines(new PlainNet(session, false), examples).logits(name);
      double[][] trained = new PlainBaselines(new PlainNet(session, true), examples).logits(name);
      float[] scores = session.score(examples);
      float[] progressive = session.step(examples, 1).probabilities();
      for (int i = 0; i < ROWS; i++) {
        assertThat((double) scores[i]).isCloseTo(PlainNet.sigmoid(served[i][0]), within(1e-5));
        assertThat((double) progressive[i])
            .isCloseTo(PlainNet.sigmoid(trained[i][0]), within(1e-5));
      }
      assertThat(scores[0]).isNotEqualTo(scores[1]);
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(delimiter = ';', textBlock = MODELS)
  void gradients_everyWeight_equalFiniteDifferencesOfTheModelWrittenOut(String name, String model) {
    try (TrainSession session = session(model)) {
      start(session);
      EncodedExamples examples = examples(2);
      PlainNet before = new PlainNet(session, true);
      PlainBaselines plain = new PlainBaselines(before, examples);
      session.step(examples, 1);
      PlainNet after = new PlainNet(session, true);
      DoubleSupplier loss = () -> loss(plain.logits(name), examples.labels());
      for (Map.Entry<String, double[]> weight : before.weights().entrySet()) {
        boolean statistic = weight.getKey().matches(".*batch_norm/(mean|variance)");
        if (!statistic) {
          check(weight.getKey(), weight.getValue(), after.weight(weight.getKey()), loss);
        }
      }
      checkRows(session, examples, before, after, loss);
    }
  }

  /** Statistics and weights that are none of those at the start. */
  static void start(TrainSession session) {
    session.step(examples(1), 0.02);
    SplittableRandom random = new SplittableRandom(9);
    for (String weight : session.weights().places().keySet()) {
      // A learnt context starts at 0, as published, and so does the bias after it: right where the
      // ReLU bends, and where its gradient is 0.
      if (weight.matches(".*selection/(context|hidden0/bias)")) {
        FloatBuffer values = session.weights().buffer(weight);
        for (int i = values.position(); i < values.limit(); i++) {
          values.put(i, (float) random.nextDouble(-1, 1));
        }
      }
    }
  }

  /** {@link #check} of the first example's row in every table. */
  static void checkRows(
      TrainSession session,
      EncodedExamples examples,
      PlainNet before,
      PlainNet after,
      DoubleSupplier loss) {
    for (Table table : session.layout().tables()) {
      long id =
          table.idSpace().equals("user")
              ? examples.context().ids()[0]
              : examples.candidate().ids()[table.idSpace().equals("item") ? 0 : 1];
      check(
          table.name(),
          before.row(table.name(), RowKey.id(id)),
          after.row(table.name(), RowKey.id(id)),
          loss);
    }
  }

  /** Some of {@code weight}'s elements: the change by the step against the loss's slope. */
  static void check(String name, double[] weight, double[] after, DoubleSupplier loss) {
    double step = 1e-5;
    for (int i = 0; i < weight.length; i += 1 + weight.length / 8) {
      double value = weight[i];
      weight[i] = value + step;
      double up = loss.getAsDouble();
      weight[i] = value - step;
      double down = loss.getAsDouble();
      weight[i] = value;
      double slope = (up - down) / (2 * step);
      assertThat(value - after[i])
          .as(name + "[" + i + "]")
          .isCloseTo(slope, within(2e-5 + 2e-4 * Math.abs(slope)));
    }
  }

  /** The mean over the rows of logits [B][1]. */
  static double loss(double[][] logits, float[] labels) {
    double sum = 0;
    for (int i = 0; i < labels.length; i++) {
      double p = PlainNet.sigmoid(logits[i][0]);
      sum -= labels[i] * Math.log(p) + (1 - labels[i]) * Math.log(1 - p);
    }
    return sum / labels.length;
  }
}
