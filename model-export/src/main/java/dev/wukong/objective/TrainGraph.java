package dev.wukong.objective;

import dev.wukong.autodiff.Gradients;
import dev.wukong.data.InputLayout;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Tensor;
import dev.wukong.ranker.Init;
import dev.wukong.ranker.Network;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerInputs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Forward, loss and gradients of one minibatch or of some of its rows: losses and gradients of
 * parts add up, as long as no batch normalization looks at the batch as a whole. Beside the model's
 * inputs it takes {@code labels} and {@code label_shares} [B, tasks] (an example's weight by the
 * task's sum over the minibatch) and the dropout masks; its outputs are {@code loss}, {@code
 * probabilities} (made before the step: progressive validation), {@code grad/<weight>} for every
 * weight, {@code grad/<slots input>} [B, W, d] for every lookup, and {@code new/<statistic>} for
 * batch normalization.
 *
 * @param weights trained weights and how they start
 * @param statistics running statistics and how they start
 * @param masks dropout inputs by name
 * @param lookups whose rows are trained
 */
public record TrainGraph(
    Graph graph,
    Map<Tensor, Init> weights,
    Map<Tensor, Init> statistics,
    List<Network.DropoutMask> masks,
    List<RankerInputs.Lookup> lookups) {

  public static TrainGraph of(RankerConfig config, InputLayout layout) {
    GraphBuilder g = new GraphBuilder("train", DataType.FLOAT);
    Objective objective = Objective.ofPart(g, config, layout);
    Network net = objective.net();
    RankerInputs inputs = objective.inputs();
    g.output("loss", objective.loss());
    g.output("probabilities", objective.probabilities());

    Map<String, Tensor> targets = new LinkedHashMap<>();
    net.trainable().keySet().forEach(weight -> targets.put("grad/" + weight.name(), weight));
    inputs.lookups().forEach((lookup, found) -> targets.put("grad/" + lookup.slots(), found));
    List<Tensor> gradients = Gradients.of(g, objective.loss(), new ArrayList<>(targets.values()));
    int i = 0;
    for (String name : targets.keySet()) {
      g.output(name, gradients.get(i++));
    }
    net.updates().forEach((statistic, update) -> g.output("new/" + statistic.name(), update));
    return new TrainGraph(
        g.build(),
        net.trainable(),
        net.running(),
        net.masks(),
        List.copyOf(inputs.lookups().keySet()));
  }
}
