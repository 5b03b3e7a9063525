package dev.wukong.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.runtime.Device;
import dev.wukong.training.BundleScorer;
import dev.wukong.training.EveryFeature;
import dev.wukong.training.StandaloneScorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The exported file under ONNX Runtime against the bundle's own scores. */
class StandaloneExportTest {
  /** The same arithmetic; only the order of sums may differ. */
  private static final float EXACT = 1e-6f;

  @TempDir private static Path whole = Path.of("");
  @TempDir private static Path candidates = Path.of("");
  @TempDir private Path folder = Path.of("");

  @BeforeAll
  static void train() throws IOException {
    EveryFeature.bundle(whole, true);
    EveryFeature.bundle(candidates, false);
  }

  private static Bundle open(Path of) throws IOException {
    return Bundle.open(of.resolve("bundles/every/1"));
  }

  private static float[] bundleScores(Path of, Precision precision) throws IOException {
    try (Bundle bundle = open(of);
        BundleScorer scorer = BundleScorer.asWritten(bundle, precision, new Device.Cpu(), 1);
        EncodedDataset data = EveryFeature.encoded(of.resolve("more.csv"), scorer.encoder())) {
      int rows = Math.toIntExact(data.rows());
      return scorer.score(data.range(0, rows, data.allocate(rows)));
    }
  }

  private StandaloneExport.Written export(Path of, Precision precision, boolean batchContext)
      throws IOException {
    try (Bundle bundle = open(of)) {
      return StandaloneExport.write(
          bundle,
          precision,
          folder.resolve("m.onnx"),
          batchContext,
          precision == Precision.FP32 && batchContext);
    }
  }

  private static void same(float[][] found, float[] right) {
    int tasks = found[0].length;
    assertThat(found.length * tasks).isEqualTo(right.length);
    for (int i = 0; i < right.length; i++) {
      assertThat(found[i / tasks][i % tasks]).isCloseTo(right[i], within(EXACT));
    }
    assertThat(found[0][0]).isNotEqualTo(found[1][0]);
  }

  @ParameterizedTest(name = "contexts {0}, batched {1}, {2}")
  @CsvSource({
    "true,false,FP32",
    "true,true,FP32",
    "false,false,FP32",
    "false,true,FP32",
    "true,false,FP16"
  })
  void export_rawValuesMappedByTheJson_scoreAsTheBundle(
      boolean contexts, boolean batchContext, Precision precision) throws Exception {
    Path of = contexts ? whole : candidates;
    StandaloneExport.Written written = export(of, precision, batchContext);
    try (OtherServer server = new OtherServer(written)) {
      assertThat(server.session().getInputNames().contains("context_of"))
          .isEqualTo(contexts && !batchContext);
      same(server.score(of.resolve("more.csv")), bundleScores(of, precision));
    }
    try (EncodedDataset data = EveryFeature.encoded(of.resolve("more.csv"), encoder(of));
        StandaloneScorer scorer =
            new StandaloneScorer(written.model(), written.inputs(), new Device.Cpu(), 1)) {
      EncodedExamples rows = data.range(0, 150, data.allocate(150));
      assertThat(scorer.score(rows))
          .usingComparatorWithPrecision(EXACT)
          .containsExactly(bundleScores(of, precision));
    }
  }

  private static FeatureEncoder encoder(Path of) throws IOException {
    try (Bundle bundle = open(of)) {
      return BundleScorer.encoder(bundle);
    }
  }

  /** What a server that batches along the first axis needs. */
  @Test
  void export_batchedContexts_haveOneFirstDimension() throws Exception {
    try (OtherServer server = new OtherServer(export(whole, Precision.FP32, true))) {
      assertThat(server.session().getInputInfo().values())
          .allSatisfy(
              input ->
                  assertThat(((TensorInfo) input.getInfo()).getDimensionNames()[0]).isEqualTo("B"));
    }
  }

  @Test
  void export_inputs_areThoseOfTheJson() throws Exception {
    try (OtherServer server = new OtherServer(export(whole, Precision.FP32, false))) {
      Map<String, String> types = new LinkedHashMap<>();
      server
          .json()
          .path("inputs")
          .forEach(i -> types.put(i.path("name").stringValue(), i.path("type").stringValue()));
      assertThat(types.keySet())
          .contains("ids.context.history", "ids.candidate.item", "weights.candidate.tags")
          .contains("dense.context", "dense.candidate", "context_of")
          .isEqualTo(server.session().getInputNames());
      server
          .session()
          .getInputInfo()
          .forEach(
              (name, info) ->
                  assertThat(((TensorInfo) info.getInfo()).type)
                      .isEqualTo(
                          switch (String.valueOf(types.get(name))) {
                            case "int64" -> OnnxJavaType.INT64;
                            case "int32" -> OnnxJavaType.INT32;
                            default -> OnnxJavaType.FLOAT;
                          }));
      assertThat(server.session().getMetadata().getCustomMetadata().get("inputs"))
          .isEqualTo(server.json().path("inputs").toString());
    }
  }

  @Test
  void export_oneContextForAllCandidates_isSpread() throws Exception {
    try (OtherServer server = new OtherServer(export(whole, Precision.FP32, false))) {
      Map<String, Object> each = server.inputs(whole.resolve("more.csv"));
      Map<String, Object> one = new LinkedHashMap<>();
      each.forEach(
          (name, values) -> {
            if (name.contains(".context")) {
              Object[] rows = (Object[]) values;
              one.put(name, Arrays.copyOf(rows, 1));
              Arrays.fill(rows, rows[0]);
            } else {
              one.put(name, name.equals("context_of") ? new int[150] : values);
            }
          });
      float[][] found = server.run(one);
      float[][] right = server.run(each);
      for (int i = 0; i < right.length; i++) {
        assertThat(found[i]).usingComparatorWithPrecision(EXACT).containsExactly(right[i]);
      }
    }
  }

  @ParameterizedTest(name = "{0} is {1}")
  @CsvSource({"-1,0", "-9223372036854775808,0", "1000000,1", "9223372036854775807,1"})
  void export_positionsOutOfRange_readAsPaddingOrUnknown(long wrong, long right) throws Exception {
    try (OtherServer server = new OtherServer(export(candidates, Precision.FP32, false))) {
      assertThat(itemAt(server, wrong))
          .usingComparatorWithPrecision(EXACT)
          .containsExactly(itemAt(server, right));
      assertThat(itemAt(server, right)).isNotEqualTo(itemAt(server, 4));
    }
  }

  private float[] itemAt(OtherServer server, long position) throws IOException, OrtException {
    Map<String, Object> inputs = server.inputs(candidates.resolve("more.csv"));
    for (long[] ids : (long[][]) inputs.getOrDefault("ids.candidate.item", new long[0][])) {
      ids[0] = position;
    }
    return server.run(inputs)[0];
  }

  @Test
  void export_tablesBeyondOneFile_saysSizeAndLimit() throws IOException {
    Path model = folder.resolve("m.onnx");
    try (Bundle bundle = open(whole)) {
      assertThatThrownBy(
              () -> StandaloneExport.write(bundle, Precision.FP32, model, false, false, 1 << 20))
          .isInstanceOf(BundleException.class)
          .hasMessageMatching(
              "model 'every' version 1: its tables take [0-9,]+ bytes and its graph [0-9,]+; one"
                  + " ONNX file may have 0, tables inside included");
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void export_otherSuffix_isRefused() throws IOException {
    try (Bundle bundle = open(whole)) {
      assertThatThrownBy(
              () ->
                  StandaloneExport.write(
                      bundle, Precision.FP32, folder.resolve("m.pb"), false, false))
          .hasMessage("the model's file is 'm.pb', want a name that ends in .onnx");
    }
  }
}
