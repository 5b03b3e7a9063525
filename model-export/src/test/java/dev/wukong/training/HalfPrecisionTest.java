package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.Provenance;
import dev.wukong.bundle.ReducedGraph;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.TaskMetrics;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.ValueInfo;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HalfPrecisionTest {
  private static final int BATCH = 64;
  private static final int FLOAT = 1;
  private static final int INT32 = 6;
  private static final int FLOAT16 = 10;

  private static final RankerConfig MODEL =
      RankerConfig.read(TrainSessionTest.yaml(EveryFeature.MODEL));

  @TempDir private Path folder = Path.of("");

  private FeatureEncoder encoder;
  private EncodedDataset data;
  private TrainSession session;

  HalfPrecisionTest(@TempDir Path files) throws IOException {
    Path rows = EveryFeature.csv(files.resolve("rows.csv"), 300, 30, 1);
    encoder = EveryFeature.encoder(rows);
    data = EveryFeature.encoded(rows, encoder);
    session =
        new TrainSession(
            MODEL,
            MODEL.layout(EveryFeature.schema()),
            TrainingConfig.read(TrainSessionTest.yaml(EveryFeature.TRAINING)),
            new Device.Cpu(),
            space -> encoder.rowsIn(space).orElseThrow());
  }

  @BeforeEach
  void train() {
    EncodedExamples room = data.allocate(BATCH);
    for (int step = 0; step < 30; step++) {
      session.step(data.range(step % 4 * (long) BATCH, BATCH, room), 1);
    }
  }

  @AfterEach
  void close() {
    session.close();
    data.close();
  }

  private BundleExport.Written export() throws IOException {
    return BundleExport.write(
        folder,
        session,
        MODEL,
        encoder,
        data.range(0, 16, data.allocate(16)),
        BundleExport.Comparison.of("train", data, BATCH, 1),
        new BundleExport.About(
            "every",
            "wukong",
            MODEL.toJson(),
            MODEL.toJson(),
            MODEL.toJson(),
            new Provenance(1, List.of(), 1, "test", Map.of()),
            Map.of(),
            Instant.EPOCH));
  }

  @Test
  void export_everyFeature_measuresWhatAnotherScorerFinds() throws IOException {
    BundleExport.Written written = export();
    try (Bundle bundle = Bundle.open(written.folder());
        BundleScorer full = new BundleScorer(bundle, new Device.Cpu(), 1);
        BundleScorer half = new BundleScorer(bundle, Precision.FP16, new Device.Cpu(), 1)) {
      ReducedGraph graph = written.half().orElseThrow();
      assertThat(bundle.manifest().precisions()).isEqualTo(Map.of(Precision.FP16, graph));

      EncodedExamples all = data.range(0, 300, data.allocate(300));
      float[] right = full.score(all);
      float[] found = half.score(all);
      double largest = 0;
      TaskMetrics rightOnes = new TaskMetrics(List.of("click", "conversion"));
      TaskMetrics foundOnes = new TaskMetrics(List.of("click", "conversion"));
      for (int i = 0; i < right.length; i++) {
        largest = Math.max(largest, Math.abs((double) right[i] - found[i]));
      }
      rightOnes.add(right, all.labels(), all.labelWeights(), 300);
      foundOnes.add(found, all.labels(), all.labelWeights(), 300);

      // Ten bits of mantissa through two layers; not nothing, or it would not be half precision.
      assertThat(largest).isBetween(1e-6, 0.01);
      ReducedGraph.Measured measured = graph.measured();
      assertThat(measured.rows()).isEqualTo(300);
      assertThat(measured.split()).isEqualTo("train");
      assertThat(measured.largestDifference()).isCloseTo(largest, within(1e-4));
      same(measured.full().get("click"), rightOnes.metrics().get("click"));
      same(measured.reduced().get("click"), foundOnes.metrics().get("click"));
      assertThat(half.checkGolden(bundle)).isCloseTo(graph.goldenDifference(), within(1e-4));
      assertThat(graph.tolerance()).isBetween(0.01, ReducedGraph.WIDEST);
    }
  }

  private static void same(@Nullable Map<String, Double> written, @Nullable Metrics expected) {
    Map<String, Double> values = Objects.requireNonNull(written);
    Metrics metrics = Objects.requireNonNull(expected);
    assertThat(values).containsOnlyKeys("auc", "logloss");
    assertThat(values.get("auc")).isCloseTo(metrics.auc(), within(1e-3));
    assertThat(values.get("logloss")).isCloseTo(metrics.logLoss(), within(1e-4));
  }

  @Test
  void export_graph_keepsTheContractAndMultipliesInHalfPrecision() throws IOException {
    ModelProto model;
    try (Bundle bundle = Bundle.open(export().folder())) {
      model = ModelProto.parseFrom(bundle.graph(Precision.FP16.file()));
    }
    for (ValueInfo input : model.getGraph().getInputList()) {
      String kind = input.getName().replaceAll("[.].*", "");
      assertThat(input.getType().getTensorType().getElemType())
          .as(input.getName())
          .isEqualTo(
              switch (kind) {
                case "rows" -> FLOAT16;
                case "slots", "context_of" -> INT32;
                case "dense", "weights" -> FLOAT;
                default -> throw new AssertionError(kind);
              });
    }
    assertThat(model.getGraph().getOutputList())
        .allMatch(output -> output.getType().getTensorType().getElemType() == FLOAT)
        .extracting(ValueInfo::getName)
        .containsExactly("probabilities", "logits");
    Map<String, Integer> types = new HashMap<>();
    model.getGraph().getInitializerList().forEach(t -> types.put(t.getName(), t.getDataType()));
    Map<Integer, List<String>> weights =
        model.getGraph().getInitializerList().stream()
            .map(TensorProto::getName)
            .filter(name -> name.matches(".*(weight|bias|scale|mean|variance|y)"))
            .collect(Collectors.groupingBy(types::get));
    assertThat(weights.get(FLOAT))
        // The linear block's and the residual's are added before they are rounded.
        .allMatch(
            name ->
                name.matches(
                    "bottom/.*|head/out/.*|.*batch_norm/.*|layer\\d+/(linear|residual)/weight"));
    assertThat(weights.get(FLOAT16)).hasSizeGreaterThan(20);
    assertThat(
            model.getGraph().getNodeList().stream()
                .filter(node -> node.getOpType().equals("MatMul"))
                .map(NodeProto::getInputList)
                .flatMap(List::stream)
                .filter(types::containsKey))
        .isNotEmpty()
        .allMatch(name -> Objects.equals(types.get(name), FLOAT16));
  }

  @Test
  void export_weightsBeyondHalfPrecision_leavesTheGraphOut() throws IOException {
    FloatBuffer linear = session.weights().buffer("layer0/linear/weight");
    for (int i = 0; i < linear.capacity(); i++) {
      linear.put(i, linear.get(i) * 1e6f);
    }
    BundleExport.Written written = export();
    assertThat(written.half()).isEmpty();
    try (Bundle bundle = Bundle.open(written.folder());
        BundleScorer scorer = new BundleScorer(bundle, new Device.Cpu(), 1)) {
      assertThat(bundle.graphs()).containsExactly("predict.onnx", "train.onnx");
      assertThat(bundle.manifest().precisions()).isEmpty();
      assertThat(scorer.checkGolden(bundle)).isLessThan(1e-4);
    }
  }
}
