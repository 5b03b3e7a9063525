package dev.wukong.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What people do wrong with data, and the exact words they get. */
class BadInputsTest {
  @TempDir private Path folder = Path.of("unset");

  // Files.

  static Stream<Arguments> files() {
    return Stream.of(
        arguments("empty.csv", "", "empty.csv is empty"),
        arguments("header.csv", "a,b\n", "header.csv has no rows"),
        arguments("ragged.csv", "a,b\n1,2\n3\n", "ragged.csv, line 3: 1 columns; 2 are needed"),
        arguments("long.csv", "a,b\n1,2,3\n", "long.csv, line 2: 3 columns; 2 are needed"),
        arguments(
            "twice.csv",
            "a,a\n1,2\n",
            "twice.csv, line 1: two columns are named 'a'; each needs a name of its own"),
        arguments(
            "unnamed.csv",
            "a,,c\n1,2,3\n",
            "unnamed.csv, line 1: column 2 has no name; every column needs one"),
        arguments("plain.csv.gz", "a,b\n1,2\n", "plain.csv.gz cannot be read: Not in GZIP format"),
        arguments(
            "bad.libsvm",
            "1 3:1\n0 x:1\n",
            "bad.libsvm, line 2: 'x:1'; index:value with an int64 and a number is needed"),
        arguments(
            "text.parquet",
            "hello, this is no parquet file",
            "text.parquet cannot be read: Invalid Input Error: No magic bytes found at end of file"
                + " 'text.parquet'"),
        arguments(
            "data.json",
            "{}",
            "the name of data.json does not tell its format; name one of: csv, tsv, parquet,"
                + " libsvm, benchmark-csv, criteo-kaggle, criteo-terabyte"));
  }

  @ParameterizedTest
  @MethodSource("files")
  void file_bad_isRefused(String name, String text, String message) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    assertThatThrownBy(
            () -> {
              try (RowSource source = FileFormat.guess(file).open(file)) {
                while (source.next()) {
                  source.value(0);
                }
              }
            })
        .isInstanceOf(DataException.class)
        .extracting(e -> String.valueOf(e.getMessage()).replace(folder + "/", ""))
        .isEqualTo(message);
  }

  @Test
  void format_missingFileOrUnknownName_isRefused() {
    assertThatThrownBy(() -> FileFormat.named("csv").open(Path.of("nowhere.csv")))
        .hasMessage("nowhere.csv is not a file");
    assertThatThrownBy(() -> FileFormat.named("arff"))
        .hasMessage(
            "no file format is called 'arff'; there are: csv, tsv, parquet, libsvm, benchmark-csv,"
                + " criteo-kaggle, criteo-terabyte");
  }

  @Test
  void benchmarkCsv_labelNotFirst_isRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("b.csv"), "user,label\n1,0\n");
    assertThatThrownBy(() -> FileFormat.named("benchmark-csv").open(file))
        .hasMessage(
            file + ": the first column is 'user'; a benchmark file's first column is 'label'");
  }

  @Test
  void source_withoutAColumn_isRefused() {
    RowSource source = ListSource.row(List.of("user", "item"), "1", "2");
    assertThatThrownBy(() -> FeatureEncoderTest.encoder().bind(source))
        .hasMessage("rows has no column 'history' (feature 'history'); it has: user, item");
  }

  // Values of a row.

  static Stream<Arguments> values() {
    return Stream.of(
        arguments("user", "abc", "column 'user' (feature 'user') is 'abc'; an int64 is needed"),
        arguments(
            "user",
            "9223372036854775808",
            "column 'user' (feature 'user') is '9223372036854775808'; an int64 is needed"),
        arguments("user", 1.5, "column 'user' (feature 'user') is '1.5'; an int64 is needed"),
        arguments(
            "price",
            "cheap",
            "column 'price' (feature 'price_band') is 'cheap'; a number is needed"),
        arguments(
            "price", "1f", "column 'price' (feature 'price_band') is '1f'; a number is needed"),
        arguments("age", "NaN", "column 'age' (feature 'age') is 'NaN'; a finite number is needed"),
        arguments(
            "age",
            "Infinity",
            "column 'age' (feature 'age') is 'Infinity'; a finite number is needed"),
        arguments(
            "age",
            "1e39",
            "column 'age' (feature 'age') is '1e39'; a number within float32 is needed"),
        arguments(
            "price",
            "",
            "column 'price' (feature 'price') is empty; the feature is not optional, so a number is"
                + " needed"),
        arguments(
            "vector",
            "1|2|3",
            "column 'vector' (feature 'vector') is '1|2|3', 3 values; 2 are needed, separated by"
                + " '|'"),
        arguments(
            "vector",
            "1 2",
            "column 'vector' (feature 'vector') is '1 2', 1 value; 2 are needed, separated by '|'"),
        arguments(
            "vector",
            "1|",
            "column 'vector' (feature 'vector') is '1|', whose value 2 is empty; 2 are needed,"
                + " separated by '|'"),
        arguments(
            "vector",
            "1||2",
            "column 'vector' (feature 'vector') is '1||2', 3 values; 2 are needed, separated by"
                + " '|'"),
        arguments(
            "vector",
            Arrays.asList(1.5, null),
            "column 'vector' (feature 'vector') is '[1.5, null]', whose value 2 is empty; 2 are"
                + " needed"),
        arguments("vector", "1|x", "column 'vector' (feature 'vector') is 'x'; a number is needed"),
        arguments(
            "history_weights",
            "1",
            "column 'history_weights' (feature 'history') has 1 weights; 2 are needed, one a"
                + " value"),
        arguments(
            "history_weights",
            "1|-2",
            "column 'history_weights' (feature 'history') is '-2'; a weight of 0 to 1e9 is needed"),
        arguments(
            "history_weights",
            "1|2e9",
            "column 'history_weights' (feature 'history') is '2e9'; a weight of 0 to 1e9 is"
                + " needed"),
        arguments(
            "history_weights",
            "1|",
            "column 'history_weights' (feature 'history') has an empty weight; one a value is"
                + " needed"),
        arguments(
            "item",
            "x".repeat(1025),
            "column 'item' (feature 'item') is '"
                + "x".repeat(80)
                + "...'; strings of up to 1024 bytes are allowed"),
        arguments(
            "click",
            "2",
            "column 'click' (task 'click') is '2'; a label of 0 or 1 is needed, or a threshold in"
                + " the schema"),
        arguments(
            "click", "maybe", "column 'click' (task 'click') is 'maybe'; a number is needed"));
  }

  @ParameterizedTest
  @MethodSource("values")
  void value_bad_isRefused(String column, Object value, String message) {
    FeatureEncoder encoder = FeatureEncoderTest.encoder();
    ListSource source = FeatureEncoderTest.source(column, value);
    RowEncoder rows = encoder.bindLabelled(source);
    EncodedExamples room = EncodedExamples.allocate(encoder, 1);
    source.next();
    assertThatThrownBy(
            () -> {
              rows.encode(room.context(), room.candidate(), 0, new EncodingCounts());
              rows.labels(room.labels(), room.labelWeights(), 0);
            })
        .isInstanceOf(DataException.class)
        .hasMessage("rows, row 1, " + message);
  }

  // Schema files.

  static Stream<Arguments> schemas() {
    return Stream.of(
        arguments("", "s.yaml is empty"),
        arguments("- 1", "s.yaml: the file is [1]; a map of keys is needed"),
        arguments("name: s", "s.yaml: features is missing; it is needed"),
        arguments(
            "name: s\nfeatures: []", "s.yaml: schema 's' has 0 features; 1 to 4096 are allowed"),
        arguments(
            "name: s\nfeature: []",
            "s.yaml: the file has an unknown key 'feature'; allowed are: name, features, tasks"),
        arguments(
            "name: s\nfeatures: [{name: a, type: int32}]",
            "s.yaml: features[0].type is 'int32'; one of int64, string, number is needed"),
        arguments(
            "name: s\nfeatures: [{name: a, type: int64}, {name: b, shares: a, min_count: 2}]",
            "s.yaml: features[1].min_count has no meaning here; feature 'a', whose ids are shared,"
                + " says it, or ids is needed"),
        arguments(
            "name: s\nfeatures: [{name: a}]",
            "s.yaml: features[0].type is missing; one of int64, string, number is needed"),
        arguments(
            "name: s\nfeatures: [{name: a, type: number, maxids: 3}]",
            "s.yaml: features[0] has an unknown key 'maxids'; allowed are: name, type, scope,"
                + " column, width, transform, optional, separator"),
        arguments(
            "name: s\nfeatures: [{name: a, type: int64, max_ids: 5000}]",
            "s.yaml: features[0].max_ids is 5000; an integer from 1 to 4096 is needed"),
        arguments(
            "name: s\nfeatures: [{name: a, type: int64}, {name: a, type: string}]",
            "s.yaml: schema 's' has two features named 'a'; each needs a name of its own"),
        arguments(
            "name: s\nfeatures: [{name: a b, type: int64}]",
            "s.yaml: name of feature is 'a b'; 1 to 128 letters, digits, '_', '-' and '.' are"
                + " allowed"),
        arguments(
            "name: s\nfeatures: [{name: a, type: int64, shares: itme}]",
            "s.yaml: features[0].shares is 'itme'; the name of a feature with the same ids is"
                + " needed"),
        arguments(
            "name: s\nfeatures: [{name: a, type: int64}, {name: b, type: string, shares: a}]",
            "s.yaml: features 'a' and 'b' share the id space 'a' but map values differently; they"
                + " need the same type and ids"),
        arguments(
            "name: s\nfeatures: [{name: a, type: number, ids: buckets, boundaries: [2, 1]}]",
            "s.yaml: features[0].boundaries: bucket boundary 1.0 stands after 2.0; finite, strictly"
                + " ascending numbers are allowed"),
        arguments(
            "name: s\nfeatures: [{name: a, type: number, ids: hash}]",
            "s.yaml: features[0].ids makes ids of a number; buckets are needed, or the type int64"
                + " or string"),
        arguments(
            "name: s\nfeatures: [{name: a, type: int64, buckets: 5}]",
            "s.yaml: features[0].buckets has no meaning here; it is allowed with ids: hash"),
        arguments(
            "name: s\nfeatures: [{name: a, type: int64}]\ntasks: [{name: t, threshold: high}]",
            "s.yaml: tasks[0].threshold is 'high'; a finite number is needed"));
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void schema_bad_isRefused(String yaml, String message) {
    assertThatThrownBy(() -> SchemaYaml.parse(yaml, "s.yaml"))
        .isInstanceOf(DataException.class)
        .hasMessage(message);
  }

  @Test
  void schema_keyTwiceOrNoYaml_isRefusedWithItsLine() {
    assertThatThrownBy(() -> SchemaYaml.parse("name: a\nname: b\n", "s.yaml"))
        .isInstanceOf(DataException.class)
        .hasMessage("s.yaml, line 2: the key 'name' stands twice, want it once");
    assertThatThrownBy(() -> SchemaYaml.parse("name: [a\n", "s.yaml"))
        .isInstanceOf(DataException.class)
        .hasMessageMatching("s[.]yaml, line [0-9]+: this is not YAML: .*");
  }

  // Vocabularies.

  @Test
  void vocabulary_missingDoubleOrWrong_isRefused() {
    assertThatThrownBy(() -> new FeatureEncoder(FeatureEncoderTest.encoder().schema(), Map.of()))
        .hasMessage("id space 'user' (feature 'user') has no vocabulary");
    assertThatThrownBy(() -> Vocabulary.of(ValueType.STRING, List.of("a", "b", "a")))
        .hasMessage("vocabulary has the value 'a' twice; each may stand once");
    assertThatThrownBy(() -> Vocabulary.of(ValueType.INT64, List.of("1", "x")))
        .hasMessage("vocabulary value 1 is 'x'; an int64 is needed");
  }

  // Blocks of a request: one int64 id, a weighted list of strings, a number, an optional number.

  private static final FeatureEncoder WIRE =
      new FeatureEncoder(
          SchemaYaml.parse(
              """
              name: wire
              features:
                - {name: item, type: int64, ids: hash}
                - {name: tags, type: string, ids: hash, max_ids: 2, weights: w}
                - {name: band, type: number, ids: buckets, boundaries: [1]}
                - {name: age, type: number, optional: true}
              """,
              "wire"),
          Map.of());

  private static ByteBuffer ints(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return bytes;
  }

  private static ByteBuffer longs(long... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    return bytes;
  }

  private static ByteBuffer floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  private static ByteBuffer doubles(double... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    return bytes;
  }

  private static ByteBuffer bytes(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length);
    for (int value : values) {
      bytes.put((byte) value);
    }
    return bytes.flip();
  }

  /** A good block of two rows, one of whose fields is replaced. */
  private static WireBlock block(String changed, int rows, ByteBuffer change) {
    return new WireBlock(
        rows,
        changed.equals("counts") ? change : ints(1, 2),
        changed.equals("ids") ? change : longs(5, 6),
        changed.equals("string_lengths") ? change : ints(1, 0, 2),
        changed.equals("strings") ? change : ByteBuffer.wrap("abc".getBytes(UTF_8)),
        changed.equals("numbers") ? change : doubles(0, 1),
        changed.equals("weights") ? change : floats(1, 2, 3),
        changed.equals("dense") ? change : floats(30, 40),
        changed.equals("present") ? change : bytes());
  }

  static Stream<Arguments> blocks() {
    return Stream.of(
        arguments(block("", 0, bytes()), "candidates: rows is 0; 1 to 1048576 are allowed"),
        arguments(block("", -1, bytes()), "candidates: rows is -1; 1 to 1048576 are allowed"),
        arguments(
            block("", 3, bytes()), "candidates.counts has 8 bytes; 12 are needed (3 int32 values)"),
        arguments(
            block("counts", 2, ints(-1, 2)),
            "candidates: feature 'tags', row 0: -1 values; 0 to 4096 are allowed"),
        arguments(
            block("counts", 2, ints(1, 5000)),
            "candidates: feature 'tags', row 1: 5000 values; 0 to 4096 are allowed"),
        arguments(
            block("counts", 2, ints(1, 1)),
            "candidates.string_lengths has 12 bytes; 8 are needed (2 int32 values)"),
        arguments(
            block("ids", 2, longs(5)),
            "candidates.ids has 8 bytes; 16 are needed (2 int64 values)"),
        arguments(
            block("ids", 2, bytes(1, 2, 3)),
            "candidates.ids has 3 bytes; 16 are needed (2 int64 values)"),
        arguments(
            block("string_lengths", 2, ints(1, 0, -2)),
            "candidates.string_lengths: value 2 is -2; 0 to 1024 are allowed"),
        arguments(
            block("string_lengths", 2, ints(1, 0, 5)),
            "candidates.strings has 3 bytes; string_lengths add up to 6"),
        arguments(
            block("numbers", 2, doubles(0, Double.NaN)),
            "candidates: feature 'band', row 1: NaN; a finite number is needed"),
        arguments(
            block("weights", 2, floats(1, -1, 3)),
            "candidates: feature 'tags', row 1: weight -1.0; 0 to 1e9 are allowed"),
        arguments(
            block("dense", 2, floats(30, Float.POSITIVE_INFINITY)),
            "candidates: feature 'age', row 1: Infinity; a finite number is needed"),
        arguments(
            block("dense", 2, floats(30)),
            "candidates.dense has 4 bytes; 8 are needed (2 float32 values)"),
        arguments(
            block("present", 2, bytes(1, 1)),
            "candidates.present has 2 bytes; 1 are needed (6 bits), or none"),
        arguments(
            block("present", 2, bytes(0x7F)),
            "candidates.present has a bit set after its 6 bits; unused bits must be 0"));
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void block_bad_isRefused(WireBlock block, String message) {
    assertThatThrownBy(() -> WIRE.encode(Scope.CANDIDATE, block, new EncodingCounts()))
        .isInstanceOf(DataException.class)
        .hasMessage(message);
  }

  @Test
  void block_absentNaN_isIgnored() {
    WireBlock block = block("present", 2, bytes(0b011111));
    block.dense().order(ByteOrder.LITTLE_ENDIAN).putFloat(4, Float.NaN);
    EncodedRows rows = WIRE.encode(Scope.CANDIDATE, block, new EncodingCounts());
    assertThat(rows.dense()).containsExactly(30, 1, 0, 0);
  }
}
