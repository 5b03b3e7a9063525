package dev.wukong.bundle;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.StringEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Every way to damage a bundle that we could think of, with the error it must give. */
class DamagedBundleTest {
  private static final String ROWS = "rows/user-00000.safetensors";

  @TempDir Path root;

  /** What is done to a whole bundle, and what opening it must then say. */
  record Damage(String name, Step step, String message) {
    @Override
    public String toString() {
      return name;
    }
  }

  interface Step {
    void apply(Path bundle) throws IOException;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damages")
  void open_damagedBundle_refuses(Damage damage) throws IOException {
    Path bundle = SampleBundle.write(root);
    damage.step().apply(bundle);
    assertThatThrownBy(() -> Bundle.open(bundle))
        .isInstanceOf(BundleException.class)
        .hasMessage("bundle " + bundle + ": " + damage.message());
  }

  static Stream<Damage> damages() {
    return Stream.of(
            folderDamages(), fileDamages(), manifestDamages(), precisionDamages(), contentDamages())
        .flatMap(s -> s);
  }

  private static Stream<Damage> folderDamages() {
    return Stream.of(
        new Damage(
            "missing file",
            b -> Files.delete(b.resolve(ROWS)),
            "file 'rows/user-00000.safetensors' is missing"),
        new Damage(
            "extra file",
            b -> Files.writeString(b.resolve("rows/notes.txt"), "hello"),
            "file 'rows/notes.txt' is not in the manifest"),
        new Damage(
            "missing graph in half precision",
            b -> Files.delete(b.resolve("predict.fp16.onnx")),
            "file 'predict.fp16.onnx' is missing"),
        new Damage(
            "folder too deep",
            b -> Files.createDirectories(b.resolve("rows/a")),
            "folder 'rows/a' lies too deep"),
        new Damage(
            "symbolic link to a file",
            b -> {
              Path outside = Files.move(b.resolve(ROWS), b.resolveSibling("outside"));
              Files.createSymbolicLink(b.resolve(ROWS), outside);
            },
            "'rows/user-00000.safetensors' is a symbolic link, only ordinary files are allowed"),
        new Damage(
            "symbolic link to a folder",
            b -> {
              Path outside = Files.move(b.resolve("rows"), b.resolveSibling("outside"));
              Files.createSymbolicLink(b.resolve("rows"), outside);
            },
            "'rows' is a symbolic link, only ordinary files are allowed"),
        new Damage(
            "hard link",
            b -> Files.createLink(b.resolveSibling("outside"), b.resolve(ROWS)),
            "file 'rows/user-00000.safetensors' has 2 hard links, only one is allowed"),
        new Damage(
            "missing manifest",
            b -> Files.delete(b.resolve("manifest.json")),
            "manifest.json is missing"));
  }

  private static Stream<Damage> fileDamages() {
    return Stream.of(
        new Damage(
            "truncated rows",
            b -> Files.write(b.resolve(ROWS), prefix(Files.readAllBytes(b.resolve(ROWS)), 100)),
            "file 'rows/user-00000.safetensors' has 100 bytes, the manifest says 184"),
        new Damage(
            "truncated to nothing",
            b -> Files.write(b.resolve("predict.onnx"), new byte[0]),
            "file 'predict.onnx' has 0 bytes, the manifest says 58"));
  }

  /** A flipped byte in any kind of file, at its start, middle and end. */
  @ParameterizedTest
  @MethodSource("kinds")
  void open_flippedByte_refuses(String file) throws IOException {
    Path bundle = SampleBundle.write(root);
    byte[] whole = Files.readAllBytes(bundle.resolve(file));
    String sha256 = Sha256.of(whole);
    for (int at : new int[] {0, whole.length / 2, whole.length - 1}) {
      byte[] flipped = whole.clone();
      flipped[at] ^= 1;
      Files.write(bundle.resolve(file), flipped);
      assertThatThrownBy(() -> Bundle.open(bundle))
          .isInstanceOf(BundleException.class)
          .hasMessage(
              "bundle %s: file '%s' has sha256 %s, the manifest says %s"
                  .formatted(bundle, file, Sha256.of(flipped), sha256));
    }
  }

  static Stream<String> kinds() {
    return Stream.of(
        "predict.onnx",
        "predict.fp16.onnx",
        "train.onnx",
        "vocabularies.json",
        "dense.safetensors",
        ROWS,
        "state/user-00000.safetensors");
  }

  private static Stream<Damage> manifestDamages() {
    return Stream.of(
        new Damage("empty manifest", b -> manifest(b, ""), "manifest.json: the file is empty"),
        new Damage(
            "manifest not JSON",
            b -> manifest(b, "model: clicks"),
            "manifest.json: not valid JSON: Unrecognized token 'model': was expecting (JSON String,"
                + " Number, Array, Object or token 'null', 'true' or 'false')"),
        new Damage(
            "manifest cut short",
            b -> manifest(b, "{\"format\": 1"),
            "manifest.json: not valid JSON: Unexpected end-of-input: expected close marker for"
                + " Object"),
        new Damage(
            "manifest with a second document",
            b -> manifest(b, "{} {}"),
            "manifest.json: not valid JSON: Trailing token (`JsonToken.START_OBJECT`) found after"
                + " value"),
        new Damage(
            "manifest not an object",
            b -> manifest(b, "[1]"),
            "manifest.json: the document is a list, expected an object"),
        new Damage(
            "manifest key twice",
            b -> manifest(b, "{\"format\": 1, \"format\": 1}"),
            "manifest.json: not valid JSON: Duplicate Object property \"format\""),
        new Damage(
            "unknown format version",
            b -> edit(b, m -> m.put("format", 2)),
            "manifest.json: field 'format' is 2, this version reads 1"),
        new Damage(
            "format version not a number",
            b -> edit(b, m -> m.put("format", "1")),
            "manifest.json: field 'format' is '1', expected an integer from 0 to 2147483647"),
        new Damage(
            "field missing",
            b -> edit(b, m -> object(m.path("schema").path("features").path(1)).remove("name")),
            "manifest.json: schema: features[1].name is missing; it is needed"),
        new Damage(
            "field unknown",
            b -> edit(b, m -> m.put("signature", "x")),
            "manifest.json: field 'signature' is unknown"),
        new Damage(
            "feature of unknown type",
            b ->
                edit(
                    b, m -> object(m.path("schema").path("features").path(0)).put("type", "image")),
            "manifest.json: schema: features[0].type is 'image'; one of int64, string, number is"
                + " needed"),
        new Damage(
            "feature twice",
            b ->
                edit(b, m -> object(m.path("schema").path("features").path(3)).put("name", "user")),
            "manifest.json: schema 'sample' has two features named 'user'; each needs a name of its"
                + " own"),
        new Damage(
            "widths that do not fit the tables",
            b -> edit(b, m -> ((ArrayNode) m.path("widths").path("user")).set(0, 3)),
            "manifest.json: field 'tables' does not follow from the schema and the widths: found"
                + " [user:2, item:4, hour:2], expected [user:3, item:4, hour:2]"),
        new Damage(
            "of another model",
            b -> edit(b, m -> m.put("model", "other")),
            "manifest.json is of model 'other' version 1, expected 'clicks' version 1"),
        new Damage(
            "of another version",
            b -> edit(b, m -> m.put("version", 2)),
            "manifest.json is of model 'clicks' version 2, expected 'clicks' version 1"),
        new Damage(
            "model name with a path",
            b -> edit(b, m -> m.put("model", "../clicks")),
            "manifest.json: model name '../clicks' is not allowed, it must match [a-z0-9_-]{1,64}"),
        new Damage(
            "path escape",
            b -> edit(b, m -> entry(m, ROWS).put("name", "../../secret")),
            "manifest.json: file name '../../secret' is not allowed, it must match"
                + " (?:[A-Za-z0-9_][A-Za-z0-9_-]{0,31}/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,159} and not"
                + " be manifest.json"),
        new Damage(
            "absolute path",
            b -> edit(b, m -> entry(m, ROWS).put("name", "/etc/passwd")),
            "manifest.json: file name '/etc/passwd' is not allowed, it must match"
                + " (?:[A-Za-z0-9_][A-Za-z0-9_-]{0,31}/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,159} and not"
                + " be manifest.json"),
        new Damage(
            "file named twice",
            b -> edit(b, m -> entry(m, "train.onnx").put("name", "predict.onnx")),
            "manifest.json: field 'files' names 'predict.onnx' twice"),
        new Damage(
            "wrong size",
            b -> edit(b, m -> entry(m, "predict.onnx").put("size", 1L << 40)),
            "file 'predict.onnx' has 58 bytes, the manifest says 1099511627776"),
        new Damage(
            "hash of another form",
            b -> edit(b, m -> entry(m, "dense.safetensors").put("sha256", "abc")),
            "manifest.json: field 'files[0].sha256' is not 64 lower-case hexadecimal digits"),
        new Damage(
            "golden row too short",
            b ->
                edit(
                    b, m -> ((ArrayNode) m.path("golden").path("candidate").path("ids")).remove(0)),
            "manifest.json: field 'golden.candidate.ids' has 2 elements, expected 3"),
        new Damage(
            "golden row of no context",
            b -> edit(b, m -> ((ArrayNode) m.path("golden").path("contextOf")).set(0, 2)),
            "manifest.json: field 'golden.contextOf[0]' is 2, expected an integer from 0 to 1"),
        new Damage(
            "no golden rows",
            b -> edit(b, m -> object(m.path("golden").path("candidate")).put("rows", 0)),
            "manifest.json: field 'golden.candidate.rows' is 0, expected an integer from 1 to"
                + " 65536"),
        new Damage(
            "default row of wrong width",
            b -> edit(b, m -> ((ArrayNode) m.path("defaultRows").path("user")).remove(0)),
            "manifest.json: field 'defaultRows.user' has 1 elements, expected 2"),
        new Damage(
            "fewer rows than promised",
            b -> edit(b, m -> object(m.path("tables").path(0)).put("rows", 5)),
            "table 'user' has 4 rows, the manifest says 5"));
  }

  private static Stream<Damage> precisionDamages() {
    return Stream.of(
        new Damage(
            "half precision that is not spoken of",
            b -> edit(b, m -> m.remove("precisions")),
            "manifest.json: field 'files' names 'predict.fp16.onnx', but field 'precisions.fp16' is"
                + " missing"),
        new Damage(
            "half precision without its graph",
            b -> {
              Files.delete(b.resolve("predict.fp16.onnx"));
              edit(b, m -> without((ArrayNode) m.path("files"), "predict.fp16.onnx"));
            },
            "manifest.json: field 'precisions.fp16.file' is 'predict.fp16.onnx', which field"
                + " 'files' lacks"),
        new Damage(
            "precision that does not exist",
            b -> edit(b, m -> object(m.path("precisions")).putObject("int8")),
            "manifest.json: field 'precisions.int8' is unknown, allowed are fp16"),
        new Damage(
            "half precision of another file",
            b -> edit(b, m -> half(m).put("file", "train.onnx")),
            "manifest.json: field 'precisions.fp16.file' is 'train.onnx', expected"
                + " 'predict.fp16.onnx'"),
        new Damage(
            "half precision with single rows",
            b -> edit(b, m -> half(m).put("rows", "F32")),
            "manifest.json: field 'precisions.fp16.rows' is 'F32', expected 'F16'"),
        new Damage(
            "half precision that may be anything",
            b -> edit(b, m -> half(m).put("tolerance", 0.5)),
            "manifest.json: field 'precisions.fp16.tolerance' is 0.5, expected 0 to 0.1"),
        new Damage(
            "half precision off by less than nothing",
            b -> edit(b, m -> half(m).put("tolerance", -0.01)),
            "manifest.json: field 'precisions.fp16.tolerance' is -0.01, expected 0 to 0.1"),
        new Damage(
            "half precision off by more than it may",
            b -> edit(b, m -> half(m).put("goldenDifference", 0.02)),
            "manifest.json: field 'precisions.fp16.goldenDifference' is 0.02, expected 0 to 0.01"),
        new Damage(
            "half precision measured on nothing",
            b -> edit(b, m -> object(half(m).path("measured")).put("rows", 0)),
            "manifest.json: field 'precisions.fp16.measured.rows' is 0, expected an integer from 1"
                + " to 9223372036854775807"),
        new Damage(
            "a difference of probabilities above 1",
            b -> edit(b, m -> object(half(m).path("measured")).put("largestDifference", 1.5)),
            "manifest.json: field 'precisions.fp16.measured.largestDifference' is 1.5, expected 0"
                + " to 1.0"),
        new Damage(
            "an AUC above 1",
            b ->
                edit(
                    b,
                    m ->
                        object(half(m).path("measured").path("fp16").path("click"))
                            .put("auc", 1.01)),
            "manifest.json: field 'precisions.fp16.measured.fp16.click.auc' is 1.01, expected 0 to"
                + " 1.0"),
        new Damage(
            "metrics of an unknown task",
            b -> edit(b, m -> object(half(m).path("measured").path("fp16")).putObject("share")),
            "manifest.json: field 'precisions.fp16.measured.fp16.share' is unknown"),
        new Damage(
            "unknown operator in half precision",
            b -> replace(b, "predict.fp16.onnx", SampleBundle.graph("EPContext").toByteArray()),
            "predict.fp16.onnx: node 'n': operator 'EPContext' is not allowed"));
  }

  private static ObjectNode half(ObjectNode manifest) {
    return object(manifest.path("precisions").path("fp16"));
  }

  private static void without(ArrayNode files, String name) {
    for (int i = 0; i < files.size(); i++) {
      if (files.get(i).path("name").stringValue().equals(name)) {
        files.remove(i);
        return;
      }
    }
    throw new AssertionError("no file " + name);
  }

  private static Stream<Damage> contentDamages() {
    String twice =
        "{\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            + "\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}";
    String overlap =
        "{\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            + "\"rows\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[4,12]}}";
    String good =
        "{\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            + "\"rows\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]}}";
    String narrow =
        "{\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            + "\"rows\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[8,12]}}";
    GraphProto outside =
        GraphProto.newBuilder()
            .addNode(SampleBundle.node("Relu"))
            .addInitializer(
                SampleBundle.weights().toBuilder()
                    .clearRawData()
                    .setDataLocation(1)
                    .addExternalData(
                        StringEntry.newBuilder().setKey("location").setValue("../../secret")))
            .build();
    return Stream.of(
        new Damage(
            "tensor twice",
            b -> replace(b, ROWS, safetensors(twice, 8)),
            ROWS + ": the header is not valid JSON: Duplicate Object property \"ids\""),
        new Damage(
            "overlapping tensors",
            b -> replace(b, ROWS, safetensors(overlap, 12)),
            ROWS
                + ": tensor 'rows' begins at byte 4, expected 8: tensors must neither overlap nor"
                + " leave gaps"),
        new Damage(
            "rows of another width",
            b -> replace(b, ROWS, safetensors(narrow, 12)),
            "a part of table 'user' does not hold 'rows' of width 2 alone"),
        new Damage(
            "ids out of order",
            b -> replace(b, "rows/user-00001.safetensors", safetensors(good, 16)),
            "rows/user-00001.safetensors: id 0 follows 0, ids must ascend and be from 0 to"
                + " 281474976710655"),
        new Damage(
            "a row that is not a number",
            b -> replace(b, ROWS, safetensors(good, 16, 0x7fc00000)),
            ROWS + ": id 0: 'rows' holds NaN, values must be finite"),
        new Damage(
            "graph of random bytes",
            b -> replace(b, "train.onnx", new byte[] {1, 2, 3}),
            "train.onnx: not an ONNX model: Protocol message contained an invalid tag (zero)."),
        new Damage(
            "external data",
            b -> replace(b, "predict.onnx", SampleBundle.model(outside).toByteArray()),
            "predict.onnx: initializer 'w' has its data outside the graph, which is not allowed"),
        new Damage(
            "unknown operator",
            b -> replace(b, "predict.onnx", SampleBundle.graph("EPContext").toByteArray()),
            "predict.onnx: node 'n': operator 'EPContext' is not allowed"),
        new Damage(
            "vocabulary missing",
            b -> replace(b, "vocabularies.json", "{}".getBytes(UTF_8)),
            "vocabularies.json: the vocabulary of id space 'item' is missing, feature 'seen' needs"
                + " it"),
        new Damage(
            "vocabulary of no id space",
            b -> replace(b, "vocabularies.json", "{\"item\":[],\"hour\":[]}".getBytes(UTF_8)),
            "vocabularies.json: the schema has no id space 'hour' with a vocabulary"),
        new Damage(
            "vocabulary with a value twice",
            b -> replace(b, "vocabularies.json", "{\"item\":[\"a\",\"a\"]}".getBytes(UTF_8)),
            "vocabularies.json: id space 'item': vocabulary has the value 'a' twice; each may stand"
                + " once"),
        new Damage(
            "vocabulary of numbers",
            b -> replace(b, "vocabularies.json", "{\"item\":[1]}".getBytes(UTF_8)),
            "vocabularies.json: expected lists of strings"));
  }

  /** A bundle made before there was half precision is a whole one. */
  @Test
  void open_withoutHalfPrecision_opens() throws IOException {
    Path bundle = SampleBundle.write(root);
    Files.delete(bundle.resolve("predict.fp16.onnx"));
    edit(
        bundle,
        m -> {
          without((ArrayNode) m.path("files"), "predict.fp16.onnx");
          m.remove("precisions");
        });
    try (Bundle open = Bundle.open(bundle)) {
      assertThat(open.manifest().precisions()).isEmpty();
      assertThat(open.manifest().tolerance(Precision.FP16)).isEmpty();
      assertThat(open.manifest().tolerance(Precision.FP32)).hasValue(1e-5);
    }
  }

  @Test
  void open_wrongPath_refuses() throws IOException {
    Path bundle = SampleBundle.write(root);
    Path named = Files.createDirectory(bundle.resolveSibling("latest"));
    assertThatThrownBy(() -> Bundle.open(named))
        .hasMessage(
            "bundle %s: version 'latest' is not allowed, it must be a number from 1"
                .formatted(named));
    Path zero = Files.createDirectory(bundle.resolveSibling("007"));
    assertThatThrownBy(() -> Bundle.open(zero))
        .hasMessage(
            "bundle %s: version '007' is not allowed, it must be a number from 1".formatted(zero));
    Path missing = bundle.resolveSibling("9");
    assertThatThrownBy(() -> Bundle.open(missing))
        .hasMessage("bundle %s: no such folder".formatted(missing));
    Path link = Files.createSymbolicLink(bundle.resolveSibling("2"), bundle);
    assertThatThrownBy(() -> Bundle.open(link))
        .hasMessage("bundle %s: '2' is a symbolic link".formatted(link));
    Path model = Files.createDirectories(root.resolve("Clicks!").resolve("1"));
    assertThatThrownBy(() -> Bundle.open(model))
        .hasMessage(
            "bundle %s: model name 'Clicks!' is not allowed, it must match [a-z0-9_-]{1,64}"
                .formatted(model));
    assertThatThrownBy(() -> new BundleStore(root).open("../" + root.getFileName(), 1))
        .hasMessage(
            "model name '../%s' is not allowed, it must match [a-z0-9_-]{1,64}"
                .formatted(root.getFileName()));
  }

  private static void manifest(Path bundle, String text) throws IOException {
    Files.writeString(bundle.resolve("manifest.json"), text);
  }

  private static void edit(Path bundle, Consumer<ObjectNode> change) throws IOException {
    Path file = bundle.resolve("manifest.json");
    ObjectNode manifest = object(Json.MAPPER.readTree(Files.readAllBytes(file)));
    change.accept(manifest);
    Files.write(file, Json.MAPPER.writeValueAsBytes(manifest));
  }

  private static ObjectNode object(JsonNode node) {
    return (ObjectNode) node;
  }

  private static ObjectNode entry(ObjectNode manifest, String file) {
    for (JsonNode entry : manifest.path("files")) {
      if (entry.path("name").stringValue().equals(file)) {
        return object(entry);
      }
    }
    throw new AssertionError("no file " + file);
  }

  /** Replaces a file and makes its size and hash right, so that only its content can be refused. */
  private static void replace(Path bundle, String file, byte[] bytes) throws IOException {
    Files.write(bundle.resolve(file), bytes);
    edit(bundle, m -> entry(m, file).put("size", bytes.length).put("sha256", Sha256.of(bytes)));
  }

  private static byte[] prefix(byte[] bytes, int length) {
    return Arrays.copyOf(bytes, length);
  }

  /** A file with {@code data} bytes of zeros, the last of which may be ints. */
  private static byte[] safetensors(String json, int data, int... last) {
    byte[] header = json.getBytes(UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + data).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header).position(file.limit() - 4 * last.length);
    for (int value : last) {
      file.putInt(value);
    }
    return file.array();
  }
}
