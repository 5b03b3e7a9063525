package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.cli.PresetRows.Kind;
import dev.wukong.cli.PresetRows.Row;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The presets of data sets that are not shipped, on made-up rows in their layouts. */
class PresetsTest {
  /** Equal inputs may be summed in another order; others move a probability by far more. */
  private static final double SAME = 1e-6;

  @TempDir private Path folder = Path.of("");

  private final StringWriter said = new StringWriter();

  private int execute(String... arguments) {
    said.getBuffer().setLength(0);
    return Typed.execute(said, said, arguments);
  }

  private int train(PresetRows preset) {
    return execute(
        "train",
        "--config=" + preset.preset(),
        "--data=" + folder,
        "--bundles=" + folder.resolve("bundles"),
        "--work=" + folder.resolve("work"),
        "--no-bars");
  }

  /** Ids 501 and 502: the first stands in the data just often enough, the second once less. */
  private static List<Row> training(PresetRows preset) {
    List<Row> rows = new ArrayList<>(preset.rows(300, 1));
    for (int i = 0; i < 2 * preset.minCount() - 1; i++) {
      String id = i < preset.minCount() ? "501" : "502";
      // Some stand in the item's column, some in the sequence that shares its ids.
      rows.set(i, rows.get(i).with(i % 2 == 0 ? preset.item() : preset.history(), id));
    }
    return rows;
  }

  /** Rows with values that training never saw, absent values and too long sequences. */
  private static List<Row> strange(PresetRows preset, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Row> rows = new ArrayList<>();
    for (Row row : preset.rows(100, seed)) {
      Row changed = row;
      for (PresetRows.Column column : preset.columns()) {
        int kind = random.nextInt(10);
        changed =
            switch (column.kind()) {
              case LABEL -> changed;
              case ID -> kind < 2 ? changed.with(column.name(), kind == 0 ? "" : "987") : changed;
              case SEQUENCE ->
                  kind == 0
                      ? changed.with(column.name(), PresetRows.sequence(130, random))
                      : changed;
              case VECTOR, PRICE -> kind == 0 ? changed.with(column.name(), "") : changed;
            };
      }
      rows.add(changed);
    }
    return rows;
  }

  private void write(PresetRows preset) throws IOException {
    preset.write(folder.resolve("train.csv"), training(preset));
    preset.write(folder.resolve("valid.csv"), strange(preset, 2));
    preset.write(folder.resolve("test.csv"), strange(preset, 3));
  }

  private List<Double> predict(PresetRows preset, Path file) throws IOException {
    Path scores = folder.resolve("scores.csv");
    String bundle = folder.resolve("bundles").resolve(preset.preset()).toString();
    assertThat(execute("predict", bundle, file.toString(), "--no-bars", "--out=" + scores))
        .as(said.toString())
        .isZero();
    List<String> lines = Files.readAllLines(scores);
    return lines.subList(1, lines.size()).stream().map(Double::valueOf).toList();
  }

  @ParameterizedTest
  @FieldSource("dev.wukong.cli.PresetRows#ALL")
  void train_presetOnItsLayout_exportsWhatItsSchemaSays(PresetRows preset) throws Exception {
    write(preset);
    assertThat(train(preset)).as(said.toString()).isZero();
    assertThat(said.toString())
        .containsPattern("valid +100 rows.*; unseen [1-9][0-9]*, missing [1-9][0-9]*, truncated")
        .doesNotContainPattern("truncated 0\nmodel");
    String bundle = folder.resolve("bundles").resolve(preset.preset()).toString();
    assertThat(execute("verify", bundle)).as(said.toString()).isZero();
    Path test = folder.resolve("test.csv");
    assertThat(execute("evaluate", bundle, test.toString(), "--no-bars"))
        .as(said.toString())
        .isZero();
    assertThat(said.toString()).containsPattern("click +auc 0[.][0-9]+").contains("examples 100");

    idsAreKnownFromMinCountOn(preset);
    ofLongSequencesTheNewestAreKept(preset);
    vectorsOfAParquetFileAreThose(preset);
  }

  private void idsAreKnownFromMinCountOn(PresetRows preset) throws IOException {
    Row row = preset.rows(1, 4).getFirst();
    List<Row> rows =
        Stream.of("501", "502", "987", "988").map(id -> row.with(preset.item(), id)).toList();
    List<Double> scores = predict(preset, preset.write(folder.resolve("ids.csv"), rows));
    assertThat(scores.get(3)).isCloseTo(scores.get(2), within(SAME));
    assertThat(scores.get(1)).isCloseTo(scores.get(2), within(SAME));
    assertThat(scores.get(0)).isNotCloseTo(scores.get(2), within(SAME));
  }

  private void ofLongSequencesTheNewestAreKept(PresetRows preset) throws IOException {
    Row row = preset.rows(1, 5).getFirst();
    String kept = String.join("^", Collections.nCopies(preset.maxIds(), "3"));
    List<Row> rows =
        Stream.of(kept, "7^8^" + kept, kept + "^7", "3", "")
            .map(history -> row.with(preset.history(), history))
            .toList();
    List<Double> scores = predict(preset, preset.write(folder.resolve("long.csv"), rows));
    assertThat(scores.get(1)).isCloseTo(scores.get(0), within(SAME));
    assertThat(scores.get(2)).isNotCloseTo(scores.get(0), within(SAME));
    assertThat(scores.get(3)).as("the mean of equal rows").isCloseTo(scores.get(0), within(SAME));
    assertThat(scores.get(4)).isNotCloseTo(scores.get(0), within(SAME));
  }

  /** The same rows with lists in place of joined text; DuckDB makes the file. */
  private void vectorsOfAParquetFileAreThose(PresetRows preset) throws IOException, SQLException {
    String lists =
        Stream.concat(
                preset.of(Kind.VECTOR).stream()
                    .map(c -> "string_split(%s, '^')::FLOAT[] AS %s".formatted(c, c)),
                preset.of(Kind.SEQUENCE).stream()
                    .map(c -> "string_split(%s, '^') AS %s".formatted(c, c)))
            .collect(Collectors.joining(", "));
    Path parquet = folder.resolve("test.parquet");
    try (Connection duck = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = duck.createStatement()) {
      statement.execute("SET threads=1");
      statement.execute(
          "COPY (SELECT * REPLACE (%s) FROM read_csv('%s', header=true, all_varchar=true)) TO '%s'"
              .formatted(lists, folder.resolve("test.csv"), parquet));
    }
    List<Double> text = predict(preset, folder.resolve("test.csv"));
    List<Double> listed = predict(preset, parquet);
    assertThat(text).hasSize(100).allSatisfy(p -> assertThat(p).isBetween(0.0, 1.0));
    assertThat(listed).isEqualTo(text);
  }

  static Stream<Arguments> vectors() {
    String vector = PresetRows.vector(64, new SplittableRandom(6));
    String begin = vector.substring(0, 80) + "...";
    return Stream.of(
        Arguments.of(
            vector.substring(0, vector.lastIndexOf('^')),
            "is '" + begin + "', 63 values; 64 are needed, separated by '^'"),
        Arguments.of(
            vector + "^", "is '" + begin + "', 65 values; 64 are needed, separated by '^'"),
        Arguments.of(
            vector.replace('^', ' '),
            "is '" + begin.replace('^', ' ') + "', 1 value; 64 are needed, separated by '^'"),
        Arguments.of(
            vector.substring(0, vector.lastIndexOf('^') + 1),
            "is '" + begin + "', whose value 64 is empty; 64 are needed, separated by '^'"),
        Arguments.of(
            vector.substring(0, vector.lastIndexOf('^') + 1) + "red",
            "is 'red'; a number is needed"),
        Arguments.of(
            vector.substring(0, vector.lastIndexOf('^') + 1) + "nan",
            "is 'nan'; a number is needed"));
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void train_vectorOfAnotherForm_isRefusedInOneLine(String vector, String message)
      throws IOException {
    PresetRows preset = PresetRows.KUAIVIDEO;
    write(preset);
    List<Row> rows = training(preset);
    rows.set(6, rows.get(6).with("item_emb", vector));
    Path train = preset.write(folder.resolve("train.csv"), rows);
    assertThat(train(preset)).isEqualTo(1);
    assertThat(said.toString().lines().toList().getLast())
        .isEqualTo(
            "model-export train: %s, row 7, column 'item_emb' (feature 'item_emb') %s"
                .formatted(train, message));
  }
}
