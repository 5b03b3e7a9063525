package dev.wukong.ranker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.config.Section;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Transform;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Flops;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.PlainArray;
import dev.wukong.graph.PlainInterpreter;
import dev.wukong.graph.Tensor;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The graph that computes contexts once is the same function as the one that repeats them. */
class ContextOnceTest {
  private static final int CONTEXTS = 3;
  private static final int CANDIDATES = 7;
  private static final int ROWS = 11;

  static final List<String> MODELS =
      List.of(
          "type: afn, log_neurons: 6, afn: {hidden: [8]}, deep: {hidden: [8]}",
          "type: autoint, layers: 2, attention: 8, heads: 2, linear: true, deep: {hidden: [8]}",
          "type: dcnv2, layers: 2, rank: 2, experts: 2, deep: {hidden: [8], batch_norm: true}",
          "type: dcnv2, layers: 2, structure: parallel, deep: {hidden: [8]}",
          "type: dlrm, top: {hidden: [8]}",
          "type: dlrm, interaction: cat, top: {hidden: [8]}",
          "type: finalmlp, first: {hidden: [8]}, second: {hidden: [4]}, heads: 2,"
              + " selection: {mlp: {hidden: [4]}, first: [user], second: [item]}",
          "type: masknet, blocks: [8, 8], deep: {hidden: [8]}",
          "type: masknet, arrangement: serial, blocks: [8, 8]",
          "type: wukong, layers: 2, fm_mlp: {hidden: [8]}, head: {hidden: [8]}",
          "type: wukong, layers: 2, fm: low_rank, fm_mlp: {hidden: [8]}, head: {hidden: [8]}",
          "type: wukong, layers: 2, fm: plain, fm_mlp: {hidden: [8]}, head: {hidden: [8]}",
          "type: wukong, layers: 1, fm_embeddings: 9, linear_embeddings: 2, residual: true",
          "type: wukong, fm_embeddings: 5, linear_embeddings: 0",
          "type: wukong, residual: false, linear_block: false",
          "type: wukong, fm_block: false",
          "type: xdeepfm, cin: [4, 4], deep: {hidden: [8]}");

  /** Those that take widths and several tables for a feature. */
  static final List<String> WIDTHS =
      MODELS.stream().filter(m -> m.contains("wukong") || m.contains("dcnv2")).toList();

  /** Those without batch normalization, which looks at the batch in training. */
  static final List<String> ROW_BY_ROW =
      MODELS.stream().filter(m -> !m.contains("batch_norm") && !m.contains("type: afn")).toList();

  private static Schema schema(Scope... without) {
    Schema simulated = new Simulator(SimulatorConfig.small(1)).schema();
    return new Schema(
        "mixed",
        Stream.concat(
                simulated.features().stream(),
                Stream.of(
                    new NumberFeature(
                        "vector", Scope.CANDIDATE, "vector", 3, Transform.LOG1P, true, " ")))
            .filter(f -> !List.of(without).contains(f.scope()))
            .toList(),
        simulated.tasks());
  }

  private static RankerConfig config(String model, String embedding) {
    String type = model.contains(",") ? model : model + ",";
    return RankerConfig.read(
        Section.parse("model", "{%s, embedding: {%s}}".formatted(type, embedding)));
  }

  private static Map<String, PlainArray> values(Graph graph) {
    SplittableRandom random = new SplittableRandom(5);
    Map<String, PlainArray> values = new HashMap<>();
    for (Tensor tensor :
        Stream.concat(graph.inputs().stream(), graph.parameters().stream()).toList()) {
      int[] shape = new int[tensor.rank()];
      for (int i = 0; i < shape.length; i++) {
        shape[i] =
            switch (tensor.dim(i).symbol()) {
              case "" -> (int) tensor.dim(i).size();
              case "R" -> CONTEXTS;
              case "B" -> CANDIDATES;
              default -> ROWS;
            };
      }
      boolean running = tensor.name().endsWith("variance");
      values.put(
          tensor.name(),
          PlainArray.of(
              shape,
              at ->
                  tensor.type() == DataType.INT32
                      ? random.nextInt(
                          tensor.name().equals(InputNames.CONTEXT_OF) ? CONTEXTS : ROWS)
                      : running ? 0.5 + random.nextDouble() : random.nextDouble(-1, 1)));
    }
    return values;
  }

  private static void assertSame(RankerConfig config, Schema schema) {
    for (DataType type : List.of(DataType.FLOAT, DataType.FLOAT16)) {
      assertSame(config, schema, type);
    }
  }

  private static void assertSame(RankerConfig config, Schema schema, DataType type) {
    InputLayout layout = config.layout(schema);
    Graph straight = RankerGraphs.straight(config, layout, type);
    Graph once = RankerGraphs.predict(config, layout, type);
    assertThat(once.inputs().stream().map(Tensor::toString).toList())
        .isEqualTo(straight.inputs().stream().map(Tensor::toString).toList());
    assertThat(once.parameters().stream().map(Tensor::toString).toList())
        .isEqualTo(straight.parameters().stream().map(Tensor::toString).toList());
    Map<String, PlainArray> given = values(straight);
    Map<String, PlainArray> expected = PlainInterpreter.run(straight, given);
    Map<String, PlainArray> actual = PlainInterpreter.run(once, given);
    assertClose(expected, actual);
  }

  private static void assertClose(
      Map<String, PlainArray> expected, Map<String, PlainArray> actual) {
    double[] logits = Objects.requireNonNull(expected.get("logits")).values();
    double[] found = Objects.requireNonNull(actual.get("logits")).values();
    assertThat(logits).hasSize(CANDIDATES * 2);
    for (int i = 0; i < logits.length; i++) {
      // Sums in another order, in double.
      assertThat(found[i]).isCloseTo(logits[i], within(1e-9 * (1 + Math.abs(logits[i]))));
    }
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void predict_everyRanker_isTheSameFunctionForLess(String model) {
    RankerConfig config = config(model, "width: 4");
    assertSame(config, schema());
    InputLayout layout = config.layout(schema());
    assertThat(Flops.perExample(RankerGraphs.predict(config, layout), "B").total())
        .isLessThan(Flops.perExample(RankerGraphs.straight(config, layout), "B").total());
  }

  @ParameterizedTest
  @FieldSource("WIDTHS")
  void predict_mixedWidthsAndSeveralTables_isTheSameFunction(String model) {
    assertSame(
        config(model, "width: 4, widths: {country: 2, brand: 3}, counts: {item: 2, user: 2}"),
        schema());
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void predict_noContext_isTheGraphAsItStands(String model) {
    RankerConfig config = config(model.replace("first: [user]", "first: [brand]"), "width: 4");
    InputLayout layout = config.layout(schema(Scope.CONTEXT));
    assertThat(RankerGraphs.predict(config, layout).nodes().stream().map(n -> n.op().toString()))
        .isEqualTo(
            RankerGraphs.straight(config, layout).nodes().stream()
                .map(n -> n.op().toString())
                .toList());
  }

  /**
   * What is taken off a candidate of a Wukong layer with n = 27 fields, 10 of them the context's:
   * the context's columns of every linear map, two a multiply-add.
   */
  @Test
  void predict_linearPartsOfTheFirstLayer_costTheirCandidatesAlone() {
    List<Long> saved = new ArrayList<>();
    for (String fm : List.of("attentive", "low_rank", "plain")) {
      RankerConfig config =
          config(
              "type: wukong, layers: 2, fm_embeddings: 3, linear_embeddings: 2, rank: 5, fm: %s"
                  .formatted(fm),
              "width: 4");
      Schema simulated = schema();
      Schema ids =
          new Schema(
              "ids",
              simulated.features().stream()
                  .filter(f -> f instanceof dev.wukong.data.IdFeature)
                  .toList(),
              simulated.tasks());
      InputLayout layout = config.layout(ids);
      saved.add(
          Flops.perExample(RankerGraphs.straight(config, layout), "B").products()
              - Flops.perExample(RankerGraphs.predict(config, layout), "B").products());
    }
    // 6 context fields of width 4: linear block and residual as one map (5); with them the
    // attention's compression (4), or Yᵀ X (5), or X Xᵀ among the context's fields (6).
    assertThat(saved)
        .containsExactly(2L * 6 * 4 * (5 + 4), 2L * 6 * 4 * (5 + 5), 2L * 6 * 4 * (5 + 6));
  }

  /** In training each candidate has a context of its own, and no block is joined with another. */
  @ParameterizedTest
  @FieldSource("ROW_BY_ROW")
  void predict_everyRanker_isTheFunctionThatIsTrained(String model) {
    RankerConfig config = config(model, "width: 4");
    InputLayout layout = config.layout(schema());
    GraphBuilder g = new GraphBuilder("train", DataType.FLOAT);
    Network net = new Network(g, Mode.TRAIN);
    g.output("logits", config.logits(net, new RankerInputs(net, layout), 2));
    Graph once = RankerGraphs.predict(config, layout);
    Map<String, PlainArray> given = values(once);
    Map<String, PlainArray> trained = new HashMap<>(given);
    PlainArray contextOf = Objects.requireNonNull(given.get(InputNames.CONTEXT_OF));
    for (Tensor input : once.inputs()) {
      if (input.rank() > 0 && input.dim(0).symbol().equals("R")) {
        PlainArray contexts = Objects.requireNonNull(given.get(input.name()));
        trained.put(
            input.name(),
            PlainArray.of(
                new int[] {CANDIDATES, contexts.shape()[1]},
                at -> contexts.at((int) contextOf.at(at[0]), at[1])));
      }
    }
    assertClose(PlainInterpreter.run(g.build(), trained), PlainInterpreter.run(once, given));
  }
}
