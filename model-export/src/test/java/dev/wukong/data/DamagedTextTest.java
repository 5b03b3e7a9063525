package dev.wukong.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Text files that are broken as a whole, and what is said of them. */
class DamagedTextTest {
  @TempDir private Path folder = Path.of("unset");

  private static List<@Nullable Object> read(Path file) {
    List<@Nullable Object> values = new ArrayList<>();
    try (RowSource source = FileFormat.guess(file).open(file)) {
      while (source.next()) {
        for (int i = 0; i < source.columns().size(); i++) {
          values.add(source.value(i));
        }
      }
    }
    return values;
  }

  private static byte[] packed(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(UTF_8));
    }
    return bytes.toByteArray();
  }

  /** More than DuckDB gives at once, so that rows were read before the end is found damaged. */
  private static String rows() {
    StringBuilder rows = new StringBuilder("a,b\n");
    for (int i = 0; i < 10_000; i++) {
      rows.append(i).append(',').append(Integer.toHexString(i * 7919)).append('\n');
    }
    return rows.toString();
  }

  static Stream<Arguments> files() {
    return Stream.of(
        arguments(
            "unclosed.csv",
            "a,b\n1,2\n3,\"x\n5,6\n",
            "unclosed.csv, line 3: a double quote is not closed, or text follows the closing one; a"
                + " quote inside a value is written twice"),
        arguments(
            "mixed.csv",
            "a,b\r\n1,2\r\n3,4\n5,6\r\n",
            "mixed.csv: line 3 ends with LF, and the first with CR LF; one kind of line end is"
                + " needed"),
        arguments(
            "old.csv",
            "a,b\n1,2\n3,\"\r\n\"\n5,6\r7,8\n",
            "old.csv: line 5 ends with CR, and the first with LF; one kind of line end is needed"),
        arguments("junk.csv", "a,b\n1,2\n3,\u00c3(\n", "junk.csv, line 3: it is not text in UTF-8"),
        arguments(
            "all.csv", "\u0007\u00ff\u0000\u0001", "all.csv, line 1: it is not text in UTF-8"),
        arguments(
            "long.csv",
            "a,b\n1," + "x".repeat(3_000_000) + "\n",
            "long.csv, line 2: it is longer than 2000000 bytes, the most that a line may have"),
        arguments(
            "zip.csv",
            "PK\u0003\u0004",
            "zip.csv is packed with zip; plain text or gzip is needed"),
        arguments(
            "columns.csv",
            "PAR1xxxx",
            "columns.csv is a Parquet file; give it a name that ends in .parquet, or that format"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void file_damaged_isRefusedWithItsLine(String name, String bytes, String message)
      throws IOException {
    Path file = Files.write(folder.resolve(name), bytes.getBytes(ISO_8859_1));
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(folder + "/" + message);
  }

  @Test
  void gzip_underAPlainName_saysSo() throws IOException {
    Path file = Files.write(folder.resolve("rows.csv"), packed(rows()));
    assertThatThrownBy(() -> read(file))
        .hasMessage(
            file + " is packed with gzip, and its name does not end in .gz; rename or unpack it");
  }

  @Test
  void gzip_whole_isRead() throws IOException {
    assertThat(read(Files.write(folder.resolve("rows.csv.gz"), packed(rows())))).hasSize(20_000);
  }

  /** From the end: 5 to 8 are the check sum, 1 to 4 the length; the others are data. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 8, 3_000, 20_000})
  void gzip_oneByteOff_isRefused(int fromTheEnd) throws IOException {
    byte[] bytes = packed(rows());
    bytes[bytes.length - fromTheEnd] ^= 0x10;
    Path file = Files.write(folder.resolve("rows.csv.gz"), bytes);
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(file + " is damaged (");
  }

  @Test
  void gzip_cutOff_isRefused() throws IOException {
    byte[] bytes = packed(rows());
    Path file = Files.write(folder.resolve("rows.csv.gz"), Arrays.copyOf(bytes, bytes.length / 2));
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(file + " is damaged (");
  }

  @Test
  void columns_thatDifferInCase_areDifferent() throws IOException {
    Path file = Files.writeString(folder.resolve("rows.csv"), "a,A,Ä,ä\n1,2,3,4\n");
    assertThat(read(file)).containsExactly("1", "2", "3", "4");
  }

  @Test
  void inference_columnsNamedLikeLabels_areNoFeatures() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("rows.csv"),
            """
            label,clicked,user,is_purchase,click_probability,click_count,y
            1,1,5,0,0.5,3,1
            0,0,6,0,0.1,4,0
            """);
    String yaml;
    try (RowSource source = FileFormat.guess(file).open(file)) {
      yaml = SchemaInference.infer("rows", source);
    }
    Schema schema = SchemaYaml.parse(yaml, "inferred");
    assertThat(schema.features()).extracting(Feature::name).containsExactly("user", "click_count");
    assertThat(schema.tasks()).extracting(Task::column).containsExactly("label");
    assertThat(yaml.lines().filter(line -> line.startsWith("# Left out, named like a label: ")))
        .hasSize(4)
        .anyMatch(line -> line.contains(": clicked (2 distinct integers from 0 to 1). Make it"));
  }
}
