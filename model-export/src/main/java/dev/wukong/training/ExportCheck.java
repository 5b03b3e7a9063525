package dev.wukong.training;

import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.DType;
import dev.wukong.bundle.OnnxScan;
import dev.wukong.bundle.SafetensorsWriter;
import dev.wukong.bundle.TensorSpec;
import dev.wukong.config.ConfigException;
import dev.wukong.data.InputLayout;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.objective.StepGraph;
import dev.wukong.ranker.RankerConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Finds out before a training whether a bundle can hold what comes of it. */
public final class ExportCheck {
  private ExportCheck() {}

  /**
   * Refuses a model that is too large for a bundle.
   *
   * @throws ConfigException where its tensors or the nodes of its graph are too many; the message
   *     names the limit
   */
  public static void of(RankerConfig model, InputLayout layout, TrainingConfig training) {
    Graph step = StepGraph.minibatch(model, layout, training.rule());
    try {
      // The header alone says whether the tensors fit; they need not follow.
      var _ = new SafetensorsWriter(OutputStream.nullOutputStream(), Map.of(), dense(step));
    } catch (IOException | IllegalArgumentException e) {
      throw tooLarge("dense.safetensors", e);
    }
    try {
      // The graph that serves is a part of this one.
      byte[] file = OnnxWriter.write(step, Lowering.CPU, Map.of(), Map.of()).toByteArray();
      OnnxScan.check(file, BundleExport.TRAIN, OnnxWriter.OPSET);
    } catch (BundleException e) {
      throw tooLarge(BundleExport.TRAIN, e);
    }
  }

  private static ConfigException tooLarge(String file, Exception e) {
    return new ConfigException(
        "the model is too large for a bundle (%s: %s)".formatted(file, e.getMessage()));
  }

  /**
   * The tensors that {@code dense.safetensors} will have, by name: all that {@code step} changes
   * but the rows, which are as many as a run brings.
   */
  static List<TensorSpec> dense(Graph step) {
    return step.inputs().stream()
        .filter(in -> step.outputs().containsKey("new/" + in.name()))
        .filter(in -> in.shape().dims().stream().allMatch(Dim::fixed))
        .map(in -> TensorSpec.of(in.name(), DType.F32, in.shape().sizes()))
        .sorted(Comparator.comparing(TensorSpec::name))
        .toList();
  }
}
