package dev.wukong.objective;

import dev.wukong.autodiff.Gradients;
import dev.wukong.data.InputLayout;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Node;
import dev.wukong.graph.Op;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import dev.wukong.ranker.Network;
import dev.wukong.ranker.RankerConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Whole training steps as graphs: forward, loss, gradients, optimizers. Nothing is kept between
 * runs: what a step changes comes in and goes out, each {@code new/<name>} to be the next run's
 * {@code <name>}.
 *
 * <p>{@code minibatch} makes one step. {@code block} makes K steps in one run by a Scan, K being
 * the size of axis 0 of its inputs, with everything that changes carried along, so that it enters
 * and leaves the runtime's memory once in K steps. A bundle's {@code train.onnx} is the block with
 * K symbolic, for one file then serves any K, 1 included. It is written with {@code
 * ScatterElements}, which is right on every provider ({@code ScatterND} races on the CPU).
 *
 * <p>These names are fixed. Inputs, with the block's leading axis:
 *
 * <table>
 * <caption>Inputs</caption>
 * <tr><td>{@code <weight>}, {@code state<i>/<weight>}
 *     <td>dense weights and slot i of their optimizer's state, as in {@code dense.safetensors}
 * <tr><td>{@code <statistic>}<td>batch normalization's running statistics, from there too
 * <tr><td>{@code rows.<g>} [U.g, d]<td>rows of group g that the minibatches use, row 0 zeros
 * <tr><td>{@code state<i>/rows.<g>}<td>their optimizer's state: Adam's m and v [U.g, d], the halves
 *     of a row of a bundle's {@code state} files; row-wise AdaGrad's sums [U.g, 1]
 * <tr><td>{@code step}<td>int64 scalar: the number of the (first) step, from 1, as in {@code
 *     dense.safetensors}
 * <tr><td>{@code learning_rate}, {@code learning_rate.rows} [K]<td>of dense weights and of rows
 * <tr><td>{@code slots.<scope>.<g>} int32 [K, B, W]<td>the row of each id position, 0 if unused
 * <tr><td>{@code weights.<scope>.<g>} [K, B, W]<td>only where a feature is weighted
 * <tr><td>{@code dense.<scope>} [K, B, k]<td>numbers
 * <tr><td>{@code labels}, {@code label_weights} [K, B, tasks]<td>weight 0: no label
 * <tr><td>{@code dropout.<i>} bool [K, B, h]<td>true where a value is kept
 * </table>
 *
 * <p>Outputs: {@code new/<name>} for all of the first five lines ({@code new/step} is K more),
 * {@code loss} [K], and {@code probabilities} [K, B, tasks], each minibatch's made before its step.
 *
 * @param minibatch without axis K
 * @param block the same in a Scan
 * @param changing names of the inputs that have a {@code new/} output, in one order with these
 * @param masks dropout inputs, as in the minibatch
 */
public record StepGraph(
    Graph minibatch, Graph block, List<String> changing, List<Network.DropoutMask> masks) {
  public StepGraph {
    changing = List.copyOf(changing);
    masks = List.copyOf(masks);
  }

  /** The name of slot {@code i} of the optimizer's state of {@code name}. */
  public static String state(int i, String name) {
    return "state" + i + "/" + name;
  }

  /** The graphs of {@code config} on {@code layout}, with the steps of {@code rule}. */
  public static StepGraph of(RankerConfig config, InputLayout layout, UpdateRule rule) {
    GraphBuilder g = new GraphBuilder("step", DataType.FLOAT);
    Objective objective = Objective.ofMinibatch(g, config, layout);
    Map<Tensor, Tensor> changes = changes(g, objective, rule);
    Graph minibatch = minibatch(g, objective, changes);
    return new StepGraph(
        minibatch,
        block(minibatch, changes.size()),
        changes.keySet().stream().map(Tensor::name).toList(),
        objective.net().masks());
  }

  /** The graph of one step alone, which has all nodes of the block but for the Scan. */
  public static Graph minibatch(RankerConfig config, InputLayout layout, UpdateRule rule) {
    GraphBuilder g = new GraphBuilder("step", DataType.FLOAT);
    Objective objective = Objective.ofMinibatch(g, config, layout);
    return minibatch(g, objective, changes(g, objective, rule));
  }

  private static Graph minibatch(GraphBuilder g, Objective objective, Map<Tensor, Tensor> changes) {
    changes.forEach((before, after) -> g.output("new/" + before.name(), after));
    g.output("loss", objective.loss());
    g.output("probabilities", objective.probabilities());
    Graph built = g.build();
    List<Tensor> inputs = new ArrayList<>(changes.keySet());
    built.inputs().stream().filter(in -> !changes.containsKey(in)).forEach(inputs::add);
    // Weights come in like everything else.
    return new Graph(built.name(), inputs, List.of(), built.outputs(), built.nodes());
  }

  /** From inputs to what they become. */
  private static Map<Tensor, Tensor> changes(GraphBuilder g, Objective objective, UpdateRule rule) {
    Tensor step = g.input("step", DataType.INT64);
    Optimizer.Step dense = rule.dense().at(g, g.input("learning_rate", DataType.FLOAT), step);
    Optimizer.Step ofRows = rule.rows().at(g, g.input("learning_rate.rows", DataType.FLOAT), step);
    List<Tensor> weights = List.copyOf(objective.net().trainable().keySet());
    List<Tensor> rows = rows(objective);
    List<Tensor> targets = new ArrayList<>(weights);
    targets.addAll(rows);
    List<Tensor> gradients = new ArrayList<>(Gradients.of(g, objective.loss(), targets));
    for (int i = weights.size(); i < targets.size(); i++) {
      gradients.set(i, rule.rowGradient(g, targets.get(i), gradients.get(i)));
    }
    gradients = rule.clipped(g, gradients);
    Map<Tensor, Tensor> changes = new LinkedHashMap<>();
    for (int i = 0; i < targets.size(); i++) {
      boolean row = i >= weights.size();
      Tensor target = targets.get(i);
      List<Tensor> state = states(g, target, row ? rule.rows() : rule.dense());
      Optimizer.Updated updated = (row ? ofRows : dense).update(target, gradients.get(i), state);
      changes.put(target, updated.weight());
      for (int slot = 0; slot < state.size(); slot++) {
        changes.put(state.get(slot), updated.state().get(slot));
      }
    }
    changes.putAll(objective.net().updates());
    changes.put(step, g.add(step, g.constant(1, DataType.INT64)));
    return changes;
  }

  /** The rows inputs: what each lookup gathers from. */
  private static List<Tensor> rows(Objective objective) {
    LinkedHashSet<Tensor> rows = new LinkedHashSet<>();
    for (Tensor found : objective.inputs().lookups().values()) {
      if (!(found.producer() instanceof Node(_, Op.Gather(), var in, _))) {
        throw new IllegalStateException(found + " is no lookup");
      }
      rows.add(in.getFirst());
    }
    return List.copyOf(rows);
  }

  private static List<Tensor> states(GraphBuilder g, Tensor target, Optimizer optimizer) {
    List<Tensor> result = new ArrayList<>();
    for (Shape shape : optimizer.state(target.shape())) {
      String name = state(result.size(), target.name());
      result.add(g.input(name, target.type(), shape.dims().toArray(Dim[]::new)));
    }
    return result;
  }

  private static Graph block(Graph minibatch, int carried) {
    GraphBuilder g = new GraphBuilder("steps", DataType.FLOAT);
    List<Tensor> inputs = new ArrayList<>();
    for (Tensor in : minibatch.inputs()) {
      Shape shape = inputs.size() < carried ? in.shape() : Shape.of(Dim.of("K")).concat(in.shape());
      inputs.add(g.input(in.name(), in.type(), shape.dims().toArray(Dim[]::new)));
    }
    List<Tensor> outputs =
        g.applyAll(new Op.Scan(minibatch, carried), inputs.toArray(Tensor[]::new));
    int i = 0;
    for (String name : minibatch.outputs().keySet()) {
      g.output(name, outputs.get(i++));
    }
    return g.build();
  }
}
