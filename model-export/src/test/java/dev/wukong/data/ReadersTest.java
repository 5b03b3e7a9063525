package dev.wukong.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReadersTest {
  @TempDir private Path folder = Path.of("unset");

  private Path file(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    if (name.endsWith(".gz")) {
      try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
        out.write(text.getBytes(UTF_8));
      }
      return file;
    }
    return Files.writeString(file, text);
  }

  private static List<List<@Nullable Object>> read(Path file, FileFormat format) {
    List<List<@Nullable Object>> rows = new ArrayList<>();
    try (RowSource source = format.open(file)) {
      while (source.next()) {
        List<@Nullable Object> row = new ArrayList<>();
        for (int i = 0; i < source.columns().size(); i++) {
          row.add(source.value(i));
        }
        rows.add(row);
        assertThat(source.row()).isEqualTo(rows.size());
      }
    }
    return rows;
  }

  @Test
  void csv_quotesEmptiesAndLineEnds_areRead() throws IOException {
    Path file = file("a.csv", "a,\"b \"\"x\"\"\",c\r\n1,,\"x,\ny\"\r\n4,\"q\",ü\r\n");
    try (RowSource source = FileFormat.guess(file).open(file)) {
      assertThat(source.columns()).containsExactly("a", "b \"x\"", "c");
    }
    assertThat(read(file, FileFormat.guess(file)))
        .containsExactly(Arrays.asList("1", null, "x,\ny"), List.of("4", "q", "ü"));
  }

  @Test
  void csvGzip_manyRows_keepTheirOrder() throws IOException {
    StringBuilder text = new StringBuilder("label,feature\n");
    for (int i = 0; i < 30_000; i++) {
      text.append(i % 2).append(',').append(i).append('\n');
    }
    List<List<@Nullable Object>> rows =
        read(file("a.csv.gz", text.toString()), FileFormat.named("benchmark-csv"));
    assertThat(rows).hasSize(30_000);
    for (int i = 0; i < rows.size(); i++) {
      assertThat(rows.get(i).get(1)).isEqualTo(Integer.toString(i));
    }
  }

  @Test
  void criteo_tabsAndEmptyValues_areRead() throws IOException {
    String line = "1\t" + "5\t".repeat(12) + "\t" + "68fd1e64\t".repeat(25) + "\n";
    List<List<@Nullable Object>> rows =
        read(file("a.tsv", line + line), FileFormat.named("criteo-kaggle"));
    assertThat(rows).hasSize(2);
    assertThat(rows.getFirst()).hasSize(40);
    assertThat(rows.getFirst().get(13)).isNull();
    assertThat(rows.getFirst().get(14)).isEqualTo("68fd1e64");
    assertThat(rows.getFirst().getLast()).isNull();
  }

  @Test
  void libsvm_commentsAndNoFeatures_areRead() throws IOException {
    Path file = file("a.libsvm.gz", "# made by hand\n+1 3:0.5 7:2 # two\n\n-1\n");
    List<List<@Nullable Object>> rows = read(file, FileFormat.guess(file));
    assertThat(rows).hasSize(2);
    assertThat(rows.getFirst())
        .usingRecursiveComparison()
        .isEqualTo(List.of("+1", new long[] {3, 7}, new float[] {0.5f, 2}));
    assertThat(rows.getLast().getFirst()).isEqualTo("-1");
  }

  @Test
  void parquet_typedAndListColumns_areRead() throws SQLException {
    Path file = folder.resolve("a.parquet");
    parquet(
        file,
        "i::BIGINT AS id, CASE WHEN i = 1 THEN NULL ELSE 'n' || i END AS name, [i, i + 1] AS items,"
            + " i / 2 AS price, i = 0 AS label FROM range(3) t(i)");
    assertThat(read(file, FileFormat.guess(file)))
        .containsExactly(
            Arrays.asList(0L, "n0", List.of(0L, 1L), 0.0, true),
            Arrays.asList(1L, null, List.of(1L, 2L), 0.5, false),
            Arrays.asList(2L, "n2", List.of(2L, 3L), 1.0, false));
  }

  private static void parquet(Path file, String select) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement()) {
      statement.execute("COPY (SELECT " + select + ") TO '" + file + "' (FORMAT parquet)");
    }
  }

  /** As old writers leave text: bytes of which the file does not say what they are. */
  @Test
  void parquet_textWithoutAnnotation_isText() throws SQLException {
    Path file = folder.resolve("old.parquet");
    parquet(
        file,
        "encode('größe') AS name, ''::BLOB AS empty, NULL::BLOB AS absent, [encode('ä'), NULL,"
            + " 'x'::BLOB] AS list");
    assertThat(read(file, FileFormat.guess(file)))
        .containsExactly(Arrays.asList("größe", "", null, Arrays.asList("ä", null, "x")));
  }

  @Test
  void parquet_bytesThatAreNoText_areRefusedWhereTheyAreRead() throws SQLException {
    Path file = folder.resolve("bytes.parquet");
    parquet(file, "1 AS id, '\\xAA'::BLOB AS image, ['\\xAA'::BLOB] AS images");
    try (RowSource source = FileFormat.guess(file).open(file)) {
      assertThat(source.next()).isTrue();
      assertThat(source.value(0)).isEqualTo(1);
      for (int column = 1; column < 3; column++) {
        int bytes = column;
        assertThatThrownBy(() -> source.value(bytes))
            .isInstanceOf(DataException.class)
            .hasMessage(
                "%s, row 1, column '%s' holds bytes that are not text in UTF-8; text or numbers are"
                    + " needed",
                file, source.columns().get(column));
      }
    }
  }

  /** DuckDB takes such a name for a pattern, and finds the other file, or both. */
  @ParameterizedTest
  @CsvSource({"exp[2], exp2", "a*b, axb", "q?r, qxr", "s[!a], sb"})
  void file_inAFolderNamedLikeAPattern_isReadAlone(String named, String matched)
      throws IOException, SQLException {
    for (String name : List.of(named, matched)) {
      Path in = Files.createDirectory(folder.resolve(name));
      Files.writeString(in.resolve("rows.csv"), "x\n" + name + "\n");
      parquet(in.resolve("rows.parquet"), "'" + name + "' AS x");
    }
    for (String name : List.of("rows.csv", "rows.parquet")) {
      Path file = folder.resolve(named).resolve(name);
      assertThat(read(file, FileFormat.guess(file))).containsExactly(List.of(named));
    }
  }

  @Test
  void parquet_inAFolderNamedLikeAColumn_keepsItsOwn() throws SQLException, IOException {
    Path file = Files.createDirectory(folder.resolve("day=7")).resolve("a.parquet");
    parquet(file, "1 AS day, 2 AS item");
    try (RowSource source = FileFormat.guess(file).open(file)) {
      assertThat(source.columns()).containsExactly("day", "item");
    }
    assertThat(read(file, FileFormat.guess(file))).containsExactly(List.of(1, 2));
  }
}
