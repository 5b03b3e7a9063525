package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.config.ConfigException;
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
import dev.wukong.graph.TensorData;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Steps in the graph against steps on the host: two implementations of everything after the
 * gradients of single positions, from one start.
 */
class GraphStepperTest {
  private static final int IDS = 6;
  static final int BATCH = 48;

  /** Four whole minibatches and a short one. */
  private static final int ROWS = 4 * BATCH + 17;

  static final Schema SCHEMA =
      new Schema(
          "steps",
          List.of(
              id("user", Scope.CONTEXT, 1, Pooling.SUM, Optional.empty()),
              id("seen", Scope.CONTEXT, 4, Pooling.MEAN, Optional.of("seen_weight")),
              id("tags", Scope.CANDIDATE, 3, Pooling.SUM, Optional.empty()),
              id("item", Scope.CANDIDATE, 1, Pooling.SUM, Optional.empty()),
              new NumberFeature("price", Scope.CANDIDATE, "price", 2, Transform.LOG1P, true)),
          List.of(
              new Task("click", "click", Optional.empty(), Optional.empty()),
              new Task("buy", "buy", Optional.empty(), Optional.empty())));

  private static IdFeature id(
      String name, Scope scope, int maxIds, Pooling pooling, Optional<String> weights) {
    IdMapping ids = new IdMapping.Hash(IDS);
    return new IdFeature(name, scope, name, ValueType.INT64, ids, name, maxIds, pooling, weights);
  }

  private static final String PLAIN = "{hidden: [16]}";

  private static final String MODEL =
      """
      embedding: {width: 8, widths: {seen: 4}, counts: {item: 2}, deviation: 0.3}
      layers: 2
      fm_embeddings: 3
      linear_embeddings: 4
      rank: 3
      fm_mlp: %s
      head: {hidden: [16]}
      """;

  static RankerConfig model(String mlp) {
    return RankerConfig.read(TrainSessionTest.yaml(MODEL.formatted(mlp)));
  }

  static TrainSession session(String mlp, String training) {
    return session(model(mlp), training);
  }

  static TrainSession session(RankerConfig model, String training) {
    InputLayout layout = model.layout(SCHEMA);
    TrainingConfig config =
        TrainingConfig.read(TrainSessionTest.yaml("batch: " + BATCH + "\nthreads: 4\n" + training));
    return new TrainSession(model, layout, config, new Device.Cpu(), space -> IDS + 2);
  }

  static EncodedExamples examples(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] context = new long[ROWS * 5];
    float[] contextWeights = new float[ROWS * 5];
    long[] candidate = new long[ROWS * 4];
    float[] dense = new float[ROWS * 3];
    float[] labels = new float[ROWS * 2];
    float[] weights = new float[ROWS * 2];
    for (int i = 0; i < ROWS; i++) {
      context[i * 5] = anyId(random);
      contextWeights[i * 5] = 1;
      int seen = random.nextInt(5);
      for (int k = 1; k < 5; k++) {
        context[i * 5 + k] = k <= seen ? anyId(random) : RowKey.NONE;
        contextWeights[i * 5 + k] = k <= seen ? random.nextFloat() : 0;
      }
      int tags = random.nextInt(4);
      for (int k = 0; k < 3; k++) {
        candidate[i * 4 + k] = k < tags ? anyId(random) : RowKey.NONE;
      }
      candidate[i * 4 + 3] = anyId(random);
      dense[i * 3] = random.nextFloat();
      dense[i * 3 + 1] = -random.nextInt(50);
      dense[i * 3 + 2] = 1;
      labels[i * 2] = random.nextInt(2);
      labels[i * 2 + 1] = random.nextInt(2);
      weights[i * 2] = random.nextFloat();
      // The second task has no label in the second minibatch.
      weights[i * 2 + 1] = i / BATCH == 1 ? 0 : labels[i * 2];
    }
    return new EncodedExamples(
        new EncodedRows(ROWS, context, contextWeights, new float[0]),
        new EncodedRows(ROWS, candidate, new float[0], dense),
        labels,
        weights);
  }

  private static long anyId(SplittableRandom random) {
    return random.nextInt(8) == 0 ? RowKey.MISSING : RowKey.FIRST + random.nextInt(IDS);
  }

  static List<Arguments> trainings() {
    String adam = "dense: {optimizer: adam, learning_rate: 0.01}\n";
    String sgd = "dense: {optimizer: sgd, learning_rate: 0.5}\n";
    String adaGrad = "rows: {optimizer: row_wise_adagrad, learning_rate: 0.05}\n";
    String descent = "rows: {optimizer: sgd, learning_rate: 0.5}\n";
    String whole = "rows: {mode: whole_table, optimizer: adam, learning_rate: 0.01, l2: 0.01}\n";
    String wholeSgd = "rows: {mode: whole_table, optimizer: sgd, learning_rate: 0.1, l2: 0.01}\n";
    // The bias before batch normalization has a gradient of rounding errors alone; with Adam's own
    // epsilon they would become whole steps in any direction.
    String coarse = "dense: {optimizer: adam, learning_rate: 0.01, epsilon: 0.001}\n";
    String normal = "{hidden: [16], batch_norm: true}";
    String dropping = "{hidden: [16], dropout: 0.3}";
    String both = "{hidden: [16, 8], batch_norm: true, dropout: 0.2}";
    return List.of(
        Arguments.of(PLAIN, adam + adaGrad),
        Arguments.of(PLAIN, sgd + descent + "clip_norm: 0.05"),
        Arguments.of(dropping, adam + whole + "clip_norm: 0.2\nwarm_up: 3"),
        Arguments.of(normal, sgd + wholeSgd + "warm_up: 2"),
        Arguments.of(both, coarse + whole + "clip_norm: 0.1\nwarm_up: 4"),
        Arguments.of(both, coarse + adaGrad + "clip_norm: 0.1"));
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void graph_oneStepARun_followsTheHost(String mlp, String training) {
    check(mlp, training, "optimizer_in: graph");
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void graph_severalStepsARun_followsTheHost(String mlp, String training) {
    check(mlp, training, "optimizer_in: graph\nsteps_per_run: 4");
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void device_stateThatStaysThere_followsTheHost(String mlp, String training) {
    check(mlp, training, "optimizer_in: device");
    check(mlp, training, "optimizer_in: device\nsteps_per_run: 4");
    if (!training.contains("whole_table")) {
      check(mlp, training, "optimizer_in: device\nsteps_per_run: 4\nrows_in: device");
    }
  }

  /** As on a GPU, where steps are recorded: with room for more rows than a block has, too. */
  @ParameterizedTest
  @EnumSource(RecordingDevice.Replay.class)
  void device_stepsThatAreRecorded_followTheHost(RecordingDevice.Replay replay) {
    boolean right = replay == RecordingDevice.Replay.ALL;
    RecordingDevice device = new RecordingDevice(replay);
    String training =
        "dense: {optimizer: adam, learning_rate: 0.01}\nclip_norm: 0.2\nwarm_up: 3\n"
            + "rows: {mode: whole_table, optimizer: adam, learning_rate: 0.01, l2: 0.01}";
    RankerConfig model = model("{hidden: [16], dropout: 0.3}");
    InputLayout layout = model.layout(SCHEMA);
    // So small that each recording serves several steps of a run.
    String small = "batch: 12\nthreads: 4\n" + training;
    TrainingConfig onHost =
        TrainingConfig.read(TrainSessionTest.yaml(small + "\noptimizer_in: host"));
    TrainingConfig config =
        TrainingConfig.read(
            TrainSessionTest.yaml(small + "\noptimizer_in: device\nsteps_per_run: 16"));
    try (TrainSession host =
            new TrainSession(model, layout, onHost, new Device.Cpu(), _ -> IDS + 2);
        TrainSession recorded =
            new TrainSession(
                model,
                layout,
                config,
                new Device.Cpu(),
                TrainState.RowsOf.fresh(model, layout, config, _ -> IDS + 2),
                Optional.empty(),
                TrainSession.Purpose.TRAINS,
                _ -> device)) {
      check(host, recorded);
      // Minibatches of the same size took recordings, where these are right.
      assertThat(device.replays).isGreaterThan(right ? 16 : 0);
      assertThat(device.priority).isEqualTo(Accelerator.Priority.LOW);
    }
    assertThat(device.held).isZero();
  }

  /** One example has no variance: the running statistics stay as they were; of two they move. */
  @ParameterizedTest
  @ValueSource(strings = {"host", "graph", "device"})
  void batchNorm_oneExample_leavesTheRunningStatistics(String place) {
    try (TrainSession session =
        session("{hidden: [6], batch_norm: true}", "optimizer_in: " + place)) {
      session.steps(examples(1).first(BATCH), 1);
      Map<String, double[]> before = everything(session);
      session.steps(examples(2).first(1), 1);
      Map<String, double[]> one = everything(session);
      session.steps(examples(2).first(2), 1);
      Map<String, double[]> two = everything(session);
      List<String> statistics =
          before.keySet().stream()
              .filter(name -> name.matches("(?!state).*batch_norm/(mean|variance)"))
              .toList();
      assertThat(statistics).hasSizeGreaterThan(1);
      for (String name : statistics) {
        assertThat(one.get(name)).as(name).isEqualTo(before.get(name));
        assertThat(two.get(name)).as(name).isNotEqualTo(before.get(name));
      }
    }
  }

  private static void check(String mlp, String training, String place) {
    check(model(mlp), training, place);
  }

  static void check(RankerConfig model, String training, String place) {
    try (TrainSession host = session(model, training + "\noptimizer_in: host");
        TrainSession graph = session(model, training + "\n" + place)) {
      check(host, graph);
    }
  }

  private static void check(TrainSession host, TrainSession graph) {
    Map<String, double[]> start = everything(host);
    for (int pass = 0; pass < 2; pass++) {
      EncodedExamples examples = examples(pass);
      // Learning rates that fall from minibatch to minibatch, within a run of the graph too.
      List<TrainSession.Step> expected = host.steps(examples, rows -> 0.7 - 0.5 * rows / ROWS);
      List<TrainSession.Step> got = graph.steps(examples, rows -> 0.7 - 0.5 * rows / ROWS);
      assertThat(got).hasSameSizeAs(expected).hasSizeGreaterThan(4);
      for (int i = 0; i < expected.size(); i++) {
        TrainSession.Step step = expected.get(i);
        assertThat(got.get(i).loss()).isCloseTo(step.loss(), within(1e-5f));
        assertThat(got.get(i).probabilities()).containsExactly(step.probabilities(), within(1e-5f));
      }
    }
    assertThat(graph.steps()).isEqualTo(host.steps()).isGreaterThan(9);
    // Both sum gradients of some hundred positions in float, in different orders: 1e-6 of the
    // largest, in each of ten steps that follow each other.
    agree(everything(graph), everything(host), 1e-5);
    assertThat(distance(start, everything(host))).isGreaterThan(0.01);
    EncodedExamples scored = examples(7).first(BATCH);
    assertThat(graph.score(scored)).containsExactly(host.score(scored), within(1e-5f));
  }

  /** The state that a checkpoint would hold, by name. */
  static Map<String, double[]> everything(TrainSession session) {
    Map<String, double[]> result = new LinkedHashMap<>();
    session.snapshot().forEach((name, data) -> result.put(name, numbers(data)));
    for (int i = 0; i < session.weights().stateSlots(); i++) {
      String prefix = "state" + i + "/";
      session
          .weights()
          .stateSnapshot(i)
          .forEach((name, data) -> result.put(prefix + name, numbers(data)));
    }
    List<double[]> rows = new ArrayList<>();
    session
        .rows()
        .forEach(
            (table, id, row, state) -> {
              String key = table + "/" + id;
              result.put("row/" + key, doubles(row));
              result.put("row state/" + key, doubles(state));
              rows.add(doubles(row));
            });
    assertThat(rows).isNotEmpty();
    return result;
  }

  private static double[] numbers(TensorData data) {
    double[] result = new double[data.length()];
    for (int i = 0; i < result.length; i++) {
      result[i] = data.at(i);
    }
    return result;
  }

  private static double[] doubles(float[] values) {
    double[] result = new double[values.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = values[i];
    }
    return result;
  }

  private static void agree(
      Map<String, double[]> got, Map<String, double[]> expected, double tolerance) {
    assertThat(got.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, values) -> {
          double largest = 0;
          for (double value : values) {
            largest = Math.max(largest, Math.abs(value));
          }
          assertThat(Objects.requireNonNull(got.get(name)))
              .as(name)
              .containsExactly(values, within(tolerance * (0.1 + largest)));
        });
  }

  private static double distance(Map<String, double[]> a, Map<String, double[]> b) {
    double largest = 0;
    for (Map.Entry<String, double[]> e : a.entrySet()) {
      double[] other = Objects.requireNonNull(b.get(e.getKey()));
      for (int i = 0; i < other.length; i++) {
        largest = Math.max(largest, Math.abs(e.getValue()[i] - other[i]));
      }
    }
    return largest;
  }

  /** With threads, too: only a race would tell two runs apart. */
  @ParameterizedTest
  @CsvSource({"graph, touched", "graph, whole_table", "device, touched", "device, whole_table"})
  void graph_sameSeed_sameWeights(String place, String mode) {
    String training =
        "optimizer_in: %s\nsteps_per_run: 2\nclip_norm: 0.1\nrows: {mode: %s}"
            .formatted(place, mode);
    List<Map<String, double[]>> runs = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      try (TrainSession session = session(PLAIN, training)) {
        session.steps(examples(3), 1);
        runs.add(everything(session));
      }
    }
    agree(runs.get(0), runs.get(1), 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"graph", "device"})
  void graph_lossThatIsNoNumber_changesNothing(String place) {
    try (TrainSession session =
        session(PLAIN, "optimizer_in: %s\nsteps_per_run: 4".formatted(place))) {
      session.step(examples(0).first(BATCH), 1);
      Map<String, double[]> before = everything(session);
      EncodedExamples examples = examples(1);
      examples.candidate().dense()[BATCH * 3] = Float.POSITIVE_INFINITY;
      assertThatThrownBy(() -> session.steps(examples.first(2 * BATCH), 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("the loss of step 3 is NaN");
      assertThat(session.steps()).isEqualTo(1);
      Map<String, double[]> after = everything(session);
      after.keySet().retainAll(before.keySet()); // Rows are made when they are met.
      agree(after, before, 0);
      // And the next block begins there.
      session.step(examples(0).first(BATCH), 1);
      try (TrainSession other =
          session(PLAIN, "optimizer_in: %s\nsteps_per_run: 4".formatted(place))) {
        other.step(examples(0).first(BATCH), 1);
        other.step(examples(0).first(BATCH), 1);
        Map<String, double[]> expected = everything(other);
        Map<String, double[]> got = everything(session);
        got.keySet().retainAll(expected.keySet());
        agree(got, expected, 1e-6);
      }
    }
  }

  @Test
  void stepsPerRun_onTheHost_isRefused() {
    assertThatThrownBy(() -> session(PLAIN, "optimizer_in: host\nsteps_per_run: 4"))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "test.steps_per_run is 4, want 1 where the optimizer is not in the graph"
                + " (optimizer_in: graph or device)");
    assertThatThrownBy(() -> session(PLAIN, "steps_per_run: 4"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("training.steps_per_run is 4, want 1");
  }

  @Test
  void steps_byDefault_areWhereTheDeviceIsQuicker() {
    StepsConfig config = TrainingConfig.read(TrainSessionTest.yaml("{}")).steps();
    assertThat(config.inGraph(new Device.Cpu())).isFalse();
    assertThat(config.perRun(new Device.Cpu())).isEqualTo(1);
    assertThat(config.inGraph(new Device.Cuda(0))).isTrue();
    assertThat(config.perRun(new Device.Cuda(0))).isEqualTo(8);
  }
}
