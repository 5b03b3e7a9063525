package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.InputLayout;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Node;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import dev.wukong.objective.StepGraph;
import dev.wukong.ranker.RankerConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How a step is cut; that both halves make the same steps, {@link GraphStepperTest} says. */
class FlatUpdateTest {
  @ParameterizedTest
  @CsvSource({"adam, 0, 2, 13", "adam, 1.5, 2, 14", "sgd, 0, 0, 2", "sgd, 1.5, 0, 3"})
  void allWeightsOfAModelShareOneUpdate(String optimizer, double clip, int slots, int operators) {
    TrainingConfig config =
        TrainingConfig.read(
            TrainSessionTest.yaml(
                "optimizer_in: graph\nclip_norm: %s\ndense: {optimizer: %s, learning_rate: 0.01}"
                    .formatted(clip, optimizer)));
    RankerConfig model = GraphStepperTest.model("{hidden: [16]}");
    InputLayout layout = model.layout(GraphStepperTest.SCHEMA);
    StepBody whole = StepBody.of(StepGraph.of(model, layout, config.rule()));
    List<String> weights = weights(whole);

    FlatUpdate flat = FlatUpdate.of(whole, weights, slots).orElseThrow();

    assertThat(flat.kept()).hasSize(1 + slots);
    assertThat(flat.given()).hasSize(1);
    assertThat(operators(flat.update())).isEqualTo(operators);
    assertThat(flat.body().outputs())
        .containsAll(weights.stream().map(w -> "gradient0/" + w).toList())
        .doesNotContainAnyElementsOf(weights.stream().map(w -> "new/" + w).toList())
        .contains("loss", "probabilities", "new/step");
    // Of a weight's own update nothing is left: what both graphs have is what there was, less the
    // copies of the update.
    assertThat(operators(flat.body().graph()))
        .isEqualTo(operators(whole.graph()) - weights.size() * operators);
  }

  /** Names of what has a state or a new value, but rows, their state and the step. */
  private static List<String> weights(StepBody whole) {
    return whole.inputs().stream()
        .filter(name -> whole.outputs().contains("new/" + name))
        .filter(name -> !name.startsWith("state") && !name.startsWith("rows"))
        .filter(name -> !name.equals("step"))
        .toList();
  }

  private static int operators(Graph graph) {
    return (int) graph.nodes().stream().filter(node -> !(node.op() instanceof Op.Constant)).count();
  }

  @Test
  void partsDoNotTouch() {
    StepBody step = step((g, w, i) -> g.sub(w, g.mul(g.apply(new Op.Exp(), w), 0.5)), 5, 64, 65);
    FlatUpdate flat = FlatUpdate.of(step, List.of("w0", "w1", "w2"), 0).orElseThrow();
    assertThat(flat.parts())
        .containsExactly(
            Map.entry("w0", new FlatUpdate.Part(0, 5)),
            Map.entry("w1", new FlatUpdate.Part(64, 64)),
            Map.entry("w2", new FlatUpdate.Part(128, 65)));
    assertThat(flat.length()).isEqualTo(256);
  }

  private interface Update {
    Tensor of(GraphBuilder g, Tensor weight, int number);
  }

  /** A step of nothing but updates. */
  private static StepBody step(Update update, int... lengths) {
    GraphBuilder g = new GraphBuilder("step", DataType.FLOAT);
    Map<Tensor, Tensor> changes = new LinkedHashMap<>();
    for (int i = 0; i < lengths.length; i++) {
      Tensor weight = g.input("w" + i, DataType.FLOAT, Dim.of(lengths[i]));
      changes.put(weight, update.of(g, weight, i));
    }
    changes.forEach((weight, now) -> g.output("new/" + weight.name(), now));
    Graph graph = g.build();
    return new StepBody(
        graph,
        graph.inputs().stream().map(Tensor::name).toList(),
        List.copyOf(graph.outputs().keySet()));
  }

  private static Set<Class<?>> kinds(Graph graph) {
    return graph.nodes().stream().map(Node::op).map(Op::getClass).collect(Collectors.toSet());
  }

  @Test
  void whereWeightsDifferTheBodyGoesOn() {
    StepBody step =
        step(
            (g, w, i) -> g.sub(w, i == 0 ? g.apply(new Op.Exp(), w) : g.apply(new Op.Tanh(), w)),
            3,
            4);
    FlatUpdate flat = FlatUpdate.of(step, List.of("w0", "w1"), 0).orElseThrow();
    assertThat(kinds(flat.update())).containsExactly(Op.Sub.class);
    assertThat(kinds(flat.body().graph())).containsExactlyInAnyOrder(Op.Exp.class, Op.Tanh.class);
    assertThat(flat.body().outputs()).containsExactly("gradient0/w0", "gradient0/w1");
  }

  @Test
  void anOperatorThatLooksBeyondItsPlaceStaysInTheBody() {
    StepBody step = step((g, w, i) -> g.mul(w, g.reduceSum(w, false)), 3, 4);
    assertThat(FlatUpdate.of(step, List.of("w0", "w1"), 0)).isEmpty();
    StepBody own = step((g, w, i) -> g.neg(g.apply(new Op.Softmax(0), w)), 3, 4);
    FlatUpdate flat = FlatUpdate.of(own, List.of("w0", "w1"), 0).orElseThrow();
    assertThat(kinds(flat.update())).containsExactly(Op.Neg.class);
    assertThat(kinds(flat.body().graph())).containsExactly(Op.Softmax.class);
  }

  @Test
  void aWeightThatStaysAsItIsOrIsAloneSharesNothing() {
    StepBody step = step((g, w, i) -> i == 0 ? w : g.mul(w, 0.5), 3, 4);
    assertThat(FlatUpdate.of(step, List.of("w0", "w1"), 0)).isEqualTo(Optional.empty());
    StepBody one = step((g, w, i) -> g.mul(w, 0.5), 3);
    assertThat(FlatUpdate.of(one, List.of("w0"), 0)).isEqualTo(Optional.empty());
  }

  @Test
  void aStepWithoutAWeightNamesIt() {
    StepBody step = step((g, w, i) -> g.mul(w, 0.5), 3, 4);
    assertThatThrownBy(() -> FlatUpdate.of(step, List.of("w0", "w2"), 0))
        .hasMessage("the graph of a training step has no input 'w2'");
  }
}
