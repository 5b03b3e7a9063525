package dev.wukong.bundle;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

class ManifestTest {
  private static final String HASH = "ab".repeat(32);

  private static Manifest manifest(ManifestDraft draft) {
    List<TableRows> tables = new ArrayList<>();
    for (Table table : draft.layout().tables()) {
      tables.add(new TableRows(table, 10L * table.ordinal()));
    }
    return draft.manifest(
        "clicks",
        3,
        tables,
        List.of(
            new FileEntry("predict.fp16.onnx", 7, HASH), new FileEntry("predict.onnx", 9, HASH)));
  }

  @Test
  void read_writtenManifest_givesEqualFields() throws BundleException {
    Manifest manifest = manifest(SampleBundle.draft());
    Manifest read = ManifestReader.read(ManifestJson.encode(manifest));
    assertThat(read)
        .usingRecursiveComparison()
        .ignoringFields("network.hyperparameters", "optimizers")
        .isEqualTo(manifest);
    assertThat(read.network().hyperparameters()).isEqualTo(manifest.network().hyperparameters());
    assertThat(read.optimizers()).isEqualTo(manifest.optimizers());
    assertThat(read.layout()).isEqualTo(SampleBundle.draft().layout());
    assertThat(ManifestJson.encode(read)).isEqualTo(ManifestJson.encode(manifest));
  }

  @Test
  void encode_goldenArraysLongerThanRows_writesTheRows() throws BundleException {
    Manifest manifest = manifest(SampleBundle.draft());
    GoldenRows golden = SampleBundle.golden();
    EncodedRows context = golden.context();
    EncodedRows longer =
        new EncodedRows(
            context.rows(),
            Arrays.copyOf(context.ids(), 100),
            Arrays.copyOf(context.weights(), 100),
            Arrays.copyOf(context.dense(), 100));
    assertThat(ManifestJson.encode(withContext(longer))).isEqualTo(ManifestJson.encode(manifest));
    EncodedRows shorter = new EncodedRows(2, new long[9], context.weights(), new float[0]);
    assertThatThrownBy(() -> ManifestJson.encode(withContext(shorter)))
        .isInstanceOf(BundleException.class)
        .hasMessage(
            "golden rows: 2 CONTEXT rows need 10 ids, 10 weights and 4 numbers, got 9, 10 and 0");
  }

  private static Manifest withContext(EncodedRows context) {
    ManifestDraft draft = SampleBundle.draft();
    GoldenRows golden = draft.golden();
    return manifest(
        new ManifestDraft(
            draft.created(),
            draft.schema(),
            draft.widths(),
            draft.network(),
            draft.opset(),
            draft.optimizers(),
            draft.provenance(),
            draft.metrics(),
            draft.defaultRows(),
            new GoldenRows(
                context,
                golden.candidate(),
                golden.contextOf(),
                golden.probabilities(),
                golden.tolerance()),
            draft.precisions()));
  }

  /** Floats must come back bit by bit, or golden rows would differ by what JSON loses. */
  @RepeatedTest(value = 300, name = "seed {currentRepetition}")
  void read_anyDefaultRow_givesTheSameBits(RepetitionInfo run) throws BundleException {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    float[] row = {finite(random), finite(random)};
    ManifestDraft draft = SampleBundle.draft();
    ManifestDraft changed =
        new ManifestDraft(
            draft.created(),
            draft.schema(),
            draft.widths(),
            draft.network(),
            draft.opset(),
            draft.optimizers(),
            draft.provenance(),
            draft.metrics(),
            Map.of("user", row, "item", new float[4], "hour", new float[2]),
            draft.golden(),
            draft.precisions());
    float[] read =
        ManifestReader.read(ManifestJson.encode(manifest(changed))).defaultRows().get("user");
    assertThat(read).isNotNull().containsExactly(row);
  }

  /**
   * Of any magnitude: the bits of the exponent are as random as the others. No negative zero:
   * JSON's decimals have none, so that it comes back positive.
   */
  private static float finite(SplittableRandom random) {
    float value = Float.intBitsToFloat(random.nextInt());
    return Float.isFinite(value) ? value + 0f : 0f;
  }

  /** Whatever a manifest's bytes are changed to, reading it ends in one of two ways. */
  @RepeatedTest(value = 20, name = "seed {currentRepetition}")
  void read_changedBytes_passesOrRefuses(RepetitionInfo run) throws BundleException {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    byte[] good = ManifestJson.encode(manifest(SampleBundle.draft()));
    for (int i = 0; i < 100; i++) {
      byte[] json = good.clone();
      int at = random.nextInt(json.length);
      for (int n = random.nextInt(1, 5); n > 0; n--) {
        json[at++ % json.length] = (byte) random.nextInt();
      }
      try {
        ManifestReader.read(json);
      } catch (BundleException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  /** Takes away each field of the whole tree in turn: its absence is named, or it is optional. */
  @Test
  void read_anyFieldMissing_namesIt() throws BundleException {
    JsonNode whole = Json.MAPPER.readTree(ManifestJson.encode(manifest(SampleBundle.draft())));
    List<String> tried = new ArrayList<>();
    for (String path : paths(whole, "")) {
      if (path.matches(
              "metrics[./].*|.*hyperparameters[./].*|.*versions\\..*|widths\\..*|schema\\..*")
          || path.matches("precisions(\\.fp16)?|.*(threshold|weightColumn|auc|logloss)")) {
        continue; // Free or optional.
      }
      JsonNode cut = whole.deepCopy();
      int dot = path.lastIndexOf('.');
      JsonNode parent = dot < 0 ? cut : at(cut, path.substring(0, dot));
      ((ObjectNode) parent).remove(path.substring(dot + 1));
      if (path.startsWith("optimizers.") && dot != "optimizers".length()) {
        continue; // Free as well.
      }
      assertThatThrownBy(() -> ManifestReader.read(Json.MAPPER.writeValueAsBytes(cut)))
          .isInstanceOf(BundleException.class)
          .hasMessage("field '%s' is missing".formatted(path));
      tried.add(path);
    }
    assertThat(tried)
        .hasSizeGreaterThan(40)
        .contains("golden.context.dense", "files[0].sha256", "precisions.fp16.measured.split");
  }

  private static JsonNode at(JsonNode root, String path) {
    JsonNode node = root;
    for (String step : path.split("\\.", -1)) {
      String[] parts = step.split("[\\[\\]]+", 2);
      node = node.path(parts[0]);
      if (parts.length > 1) {
        node = node.path(Integer.parseInt(parts[1].substring(0, parts[1].length() - 1)));
      }
    }
    return node;
  }

  private static List<String> paths(JsonNode node, String prefix) {
    List<String> paths = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      String path = prefix.isEmpty() ? entry.getKey() : prefix + "." + entry.getKey();
      paths.add(path);
      if (entry.getValue() instanceof ObjectNode object) {
        paths.addAll(paths(object, path));
      } else if (entry.getValue() instanceof ArrayNode array) {
        for (int i = 0; i < array.size(); i++) {
          paths.addAll(paths(array.get(i), path + "[" + i + "]"));
        }
      }
    }
    return paths;
  }

  /** Two bytes of an empty list become an object of fifty, before any field is looked at. */
  @Test
  void read_moreTokensThanAllowed_refusesWhileReading() {
    String json = "{\"format\": 1, \"network\": [" + "[],".repeat(1 << 21) + "[]]}";
    assertThatThrownBy(() -> ManifestReader.read(json.getBytes(UTF_8)))
        .isInstanceOf(BundleException.class)
        .hasMessageStartingWith(
            "not valid JSON: Token count (4194305) exceeds the maximum allowed");
  }

  /** Each feature's widths are within their limit, all together become a million tables. */
  @Test
  void read_widthsOfManyFeatures_refusesTheirNumberInAll() throws BundleException {
    ObjectNode manifest =
        (ObjectNode) Json.MAPPER.readTree(ManifestJson.encode(manifest(SampleBundle.draft())));
    ArrayNode features = (ArrayNode) manifest.path("schema").path("features");
    ObjectNode widths = (ObjectNode) manifest.path("widths");
    for (int i = 0; i < 33; i++) {
      ObjectNode feature = (ObjectNode) features.path(0).deepCopy();
      features.add(feature.put("name", "user" + i));
      ArrayNode own = widths.putArray("user" + i);
      for (int n = 0; n < 1 << 15; n++) {
        own.add(1);
      }
    }
    assertThatThrownBy(() -> ManifestReader.read(Json.MAPPER.writeValueAsBytes(manifest)))
        .isInstanceOf(BundleException.class)
        .hasMessage("field 'widths' has more than 1048576 widths in all");
  }
}
