package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.Precision;
import dev.wukong.graph.DataType;
import dev.wukong.graph.FileGraph;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.runtime.Device;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ONNX Runtime multiplies half precision on the CPU number by number: nobody could wait for it. */
class HalfProductsTest {
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          afn; log_neurons: 5, afn: {hidden: [7]}, deep: {hidden: [6]}
          autoint; layers: 2, attention: 6, heads: 2, linear: true, deep: {hidden: [7]}
          dcnv2; layers: 2, rank: 2, experts: 2, structure: stacked, deep: {hidden: [7]}
          dlrm; top: {hidden: [7]}
          finalmlp; first: {hidden: [6], batch_norm: true}, second: {hidden: [4]}, heads: 2
          masknet; blocks: [6, 5], deep: {hidden: [7]}
          wukong; fm_embeddings: 2, linear_embeddings: 2, head: {hidden: [6]}
          xdeepfm; cin: [3, 2], deep: {hidden: [7], batch_norm: true}
          """)
  void halfPrecisionFile_onTheCpu_multipliesInSinglePrecision(String type, String rest)
      throws BundleException {
    RankerConfig model =
        RankerConfig.read(
            TrainSessionTest.yaml("{type: " + type + ", embedding: {width: 4}, " + rest + "}"));
    Graph graph =
        RankerGraphs.predict(model, model.layout(EveryFeature.schema()), DataType.FLOAT16);
    Map<String, TensorData> weights =
        graph.parameters().stream()
            .collect(Collectors.toMap(Tensor::name, HalfProductsTest::halves));
    byte[] file = OnnxWriter.write(graph, Lowering.CUDA, weights, Map.of()).toByteArray();
    assertThat(products(file)).contains(DataType.FLOAT16);

    byte[] loaded = Precision.FP16.on(new Device.Cpu(), file);
    assertThat(products(loaded)).containsExactly(DataType.FLOAT);
    assertThat(ends(loaded)).isEqualTo(ends(file));
    assertThat(Precision.FP16.on(new Device.Cuda(0), file)).isSameAs(file);
    assertThat(Precision.FP32.on(new Device.Cuda(0), file)).isSameAs(file);
  }

  private static TensorData halves(Tensor parameter) {
    float[] values =
        new float
            [parameter.shape().dims().stream()
                .mapToInt(d -> (int) d.size())
                .reduce(1, (a, b) -> a * b)];
    Arrays.fill(values, 0.5f);
    return new TensorData.Floats(parameter.shape(), values);
  }

  private static Set<DataType> products(byte[] file) {
    return FileGraph.of(file).nodes().stream()
        .filter(node -> node.op() instanceof Op.MatMul || node.op() instanceof Op.Gemm)
        .map(node -> node.out().type())
        .collect(Collectors.toSet());
  }

  /** Inputs and outputs by name, as text. */
  private static Map<String, String> ends(byte[] file) {
    Graph graph = FileGraph.of(file);
    Map<String, String> ends =
        graph.inputs().stream().collect(Collectors.toMap(Tensor::name, Tensor::toString));
    graph.outputs().forEach((name, tensor) -> ends.put(name, tensor.type() + " " + tensor.shape()));
    return ends;
  }
}
