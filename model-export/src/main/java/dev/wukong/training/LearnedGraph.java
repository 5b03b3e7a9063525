package dev.wukong.training;

import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.Precision;
import dev.wukong.config.Section;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.TensorData;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import java.util.LinkedHashMap;
import java.util.Map;

/** The predict graph of a bundle's model, for other weights than the bundle's. Any thread. */
public final class LearnedGraph {
  private final Manifest manifest;
  private final RankerConfig model;
  private final Graph graph;

  private LearnedGraph(Manifest manifest, RankerConfig model, Graph graph) {
    this.manifest = manifest;
    this.model = model;
    this.graph = graph;
  }

  /**
   * The graph of {@code manifest}'s model.
   *
   * @throws IllegalArgumentException where the manifest's hyperparameters are not those of a model
   */
  public static LearnedGraph of(Manifest manifest, Precision precision) {
    RankerConfig model =
        RankerConfig.read(Section.of("manifest.json: model", manifest.network().hyperparameters()));
    DataType type =
        switch (precision) {
          case FP32 -> DataType.FLOAT;
          case FP16 -> DataType.FLOAT16;
        };
    return new LearnedGraph(manifest, model, RankerGraphs.predict(model, manifest.layout(), type));
  }

  RankerConfig model() {
    return model;
  }

  /**
   * The graph's file.
   *
   * @param dense the tensors that {@link OnlineSession#dense} gave; those that the graph has not
   *     are passed over
   * @throws IllegalArgumentException where one is missing or has another size
   */
  public byte[] file(Map<String, float[]> dense) {
    Map<String, TensorData> weights = new LinkedHashMap<>();
    graph
        .parameters()
        .forEach(
            parameter -> {
              float[] values = dense.get(parameter.name());
              if (values == null) {
                throw new IllegalArgumentException(
                    "tensor '%s' is missing".formatted(parameter.name()));
              }
              weights.put(parameter.name(), new TensorData.Floats(parameter.shape(), values));
            });
    return OnnxWriter.write(graph, Lowering.CUDA, weights, Map.of("model", manifest.model()))
        .toByteArray();
  }
}
