package dev.wukong.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.wukong.config.Section;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.graph.DataType;
import dev.wukong.graph.FileGraph;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.OrtRunner;
import dev.wukong.graph.PlainArray;
import dev.wukong.graph.PlainInterpreter;
import dev.wukong.graph.Tensor;
import dev.wukong.onnx.ModelProto;
import dev.wukong.ranker.RankerConfig;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The step graphs by themselves, against the interpreter and against each other. */
class StepGraphTest {
  private static final int ROWS = 6;
  private static final int BATCH = 9;
  private static final int RUNS = 3;

  // Three steps through two MLPs in float; the interpreter has doubles.
  private static final double TOLERANCE = 2e-5;

  private static final Schema SCHEMA =
      new Schema(
          "small",
          List.of(
              id("user", Scope.CONTEXT, 1, Optional.empty()),
              id("tags", Scope.CANDIDATE, 3, Optional.of("tag_weight")),
              new NumberFeature("price", Scope.CANDIDATE, "price", 1, Transform.NONE, false)),
          List.of(new Task("click", "click", Optional.empty(), Optional.empty())));

  private static IdFeature id(String name, Scope scope, int maxIds, Optional<String> weights) {
    IdMapping ids = new IdMapping.Hash(9);
    return new IdFeature(
        name, scope, name, ValueType.INT64, ids, name, maxIds, Pooling.MEAN, weights);
  }

  private static StepGraph graph(UpdateRule rule) {
    String model =
        """
        embedding: {width: 4}
        layers: 1
        fm_embeddings: 2
        linear_embeddings: 2
        rank: 2
        fm: low_rank
        fm_mlp: {hidden: [5], batch_norm: true, dropout: 0.5}
        head: {hidden: [4]}
        """;
    RankerConfig config = RankerConfig.read(Section.of("test", new YAMLMapper().readTree(model)));
    InputLayout layout = config.layout(SCHEMA);
    return StepGraph.of(config, layout, rule);
  }

  private static UpdateRule rule() {
    return new UpdateRule(
        new Optimizer.Adam(0.9, 0.99, 1e-2), new Optimizer.Adam(0.9, 0.99, 1e-2), 0.1, 0.5);
  }

  /** Random values for every input of {@code graph}, exact in float. */
  private static Map<String, PlainArray> given(Graph graph) {
    Random random = new Random(2);
    Map<String, PlainArray> given = new HashMap<>();
    for (Tensor in : graph.inputs()) {
      int[] shape =
          in.shape().dims().stream()
              .mapToInt(
                  d ->
                      switch (d.symbol()) {
                        case "" -> (int) d.size();
                        case "B" -> BATCH;
                        case "K" -> RUNS;
                        default -> ROWS;
                      })
              .toArray();
      String name = in.name();
      PlainArray value =
          PlainArray.of(
              shape,
              i -> {
                boolean padding = name.contains("rows.") && shape.length == 2 && i[0] == 0;
                return switch (in.type()) {
                  case INT64 -> 3;
                  case INT32 -> random.nextInt(ROWS);
                  case BOOL -> random.nextInt(2);
                  default ->
                      name.startsWith("learning_rate")
                          ? 0.0625f
                          : padding
                              ? 0
                              : name.startsWith("state1") || name.endsWith("variance")
                                  ? 0.5f + random.nextFloat()
                                  : (float) random.nextGaussian(0, 0.5);
                };
              });
      given.put(name, value);
    }
    given.computeIfPresent("labels", (_, v) -> PlainArray.of(v.shape(), i -> v.at(i) > 0 ? 1 : 0));
    given.computeIfPresent(
        "label_weights", (_, v) -> PlainArray.of(v.shape(), i -> Math.abs(v.at(i))));
    return given;
  }

  @ParameterizedTest
  @EnumSource(Lowering.class)
  void block_inOnnxRuntime_meansWhatTheInterpreterSays(Lowering lowering) throws OrtException {
    Graph block = graph(rule()).block();
    Map<String, PlainArray> given = given(block);
    // On one thread, where what is written for CUDA is right on the CPU, too.
    ModelProto model = OnnxWriter.write(block, lowering, Map.of(), Map.of());
    agree(OrtRunner.run(model, given), PlainInterpreter.run(block, given));
  }

  @Test
  void block_writtenAndRead_meansTheSame() {
    Graph block = graph(rule()).block();
    Map<String, PlainArray> given = given(block);
    ModelProto model = OnnxWriter.write(block, Lowering.CPU, Map.of(), Map.of());
    Graph read = FileGraph.of(model.toByteArray());
    assertThat(read.inputs().toString()).isEqualTo(block.inputs().toString());
    agree(PlainInterpreter.run(read, given), PlainInterpreter.run(block, given));
  }

  /** The block is the minibatch as often as axis 0 says, each {@code new/x} the next one's x. */
  @Test
  void block_ofMinibatches_isTheMinibatchAgainAndAgain() {
    StepGraph graph = graph(rule());
    Map<String, PlainArray> given = given(graph.block());
    Map<String, PlainArray> block = PlainInterpreter.run(graph.block(), given);
    Map<String, PlainArray> state = new LinkedHashMap<>();
    graph.changing().forEach(name -> state.put(name, value(given, name)));
    for (int k = 0; k < RUNS; k++) {
      Map<String, PlainArray> one = new HashMap<>(state);
      for (Tensor in : graph.minibatch().inputs()) {
        if (!state.containsKey(in.name())) {
          one.put(in.name(), part(value(given, in.name()), RUNS, k));
        }
      }
      Map<String, PlainArray> made = PlainInterpreter.run(graph.minibatch(), one);
      assertThat(value(made, "loss").at()).isEqualTo(value(block, "loss").at(k));
      assertThat(value(made, "probabilities"))
          .isEqualTo(part(value(block, "probabilities"), RUNS, k));
      state.replaceAll((name, _) -> value(made, "new/" + name));
    }
    state.forEach((name, last) -> assertThat(value(block, "new/" + name)).isEqualTo(last));
    assertThat(value(block, "new/step").at()).isEqualTo(3 + RUNS);
  }

  private static PlainArray part(PlainArray all, int parts, int k) {
    int[] shape = Arrays.copyOfRange(all.shape(), 1, all.rank());
    int size = all.values().length / parts;
    return new PlainArray(shape, Arrays.copyOfRange(all.values(), k * size, (k + 1) * size));
  }

  /** Slot 0 is looked up by unused positions, and its row must stay zeros. */
  @Test
  void paddingRow_afterSteps_isZeroWithoutState() {
    Graph block = graph(rule()).block();
    Map<String, PlainArray> made = PlainInterpreter.run(block, given(block));
    int seen = 0;
    for (Map.Entry<String, PlainArray> e : made.entrySet()) {
      if (e.getKey().contains("rows.")) {
        seen++;
        double[] values = e.getValue().values();
        int width = values.length / ROWS;
        assertThat(Arrays.copyOf(values, width)).as(e.getKey()).containsOnly(0);
        assertThat(values[width]).isNotZero();
      }
    }
    assertThat(seen).isEqualTo(3);
  }

  /** What {@link StepGraph} promises to those who run the file. */
  @Test
  void names_ofTheBlock_areThoseOfTheContract() {
    Graph block =
        graph(new UpdateRule(new Optimizer.Sgd(), new Optimizer.RowWiseAdaGrad(1e-8), 0, 0))
            .block();
    String group = "d4";
    assertThat(block.inputs())
        .extracting(Tensor::toString)
        .contains(
            "head/out/bias FLOAT[1]",
            "layer0/fm/hidden0/batch_norm/mean FLOAT[5]",
            "rows." + group + " FLOAT[U." + group + ", 4]",
            "state0/rows." + group + " FLOAT[U." + group + ", 1]",
            "step INT64[]",
            "learning_rate FLOAT[K]",
            "learning_rate.rows FLOAT[K]",
            "slots.context." + group + " INT32[K, B, 1]",
            "slots.candidate." + group + " INT32[K, B, 3]",
            "weights.candidate." + group + " FLOAT[K, B, 3]",
            "dense.candidate FLOAT[K, B, 1]",
            "labels FLOAT[K, B, 1]",
            "label_weights FLOAT[K, B, 1]",
            "dropout.0 BOOL[K, B, 5]");
    assertThat(block.outputs().keySet())
        .contains("new/head/out/bias", "new/rows." + group, "new/state0/rows." + group)
        .contains("new/step", "loss", "probabilities");
    assertThat(value(block.outputs(), "loss").toString()).endsWith("FLOAT[K]");
    assertThat(value(block.outputs(), "probabilities").toString()).endsWith("FLOAT[K, B, 1]");
    assertThat(value(block.outputs(), "loss").type()).isEqualTo(DataType.FLOAT);
  }

  private static void agree(Map<String, PlainArray> got, Map<String, PlainArray> expected) {
    assertThat(got.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, value) ->
            assertThat(value(got, name).values())
                .as(name)
                .containsExactly(value.values(), within(TOLERANCE * (1 + value.largest()))));
  }

  private static <T> T value(Map<String, T> all, String name) {
    return Objects.requireNonNull(all.get(name), () -> name + " of " + all.keySet());
  }
}
