package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers beyond float32's arithmetic, in data and through learning rates. */
class NotFiniteTest {
  private static final String CONFIG = TrainChecksTest.CONFIG;

  @TempDir private Path folder = Path.of("");

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void files() throws IOException {
    rows("rows.csv", "3");
  }

  /** Forty rows, of which the 13th has {@code price}. */
  private Path rows(String name, String price) throws IOException {
    StringBuilder rows = new StringBuilder("user,price,click\n");
    for (int i = 1; i <= 40; i++) {
      rows.append(i % 5).append(',').append(i == 13 ? price : i % 7).append(',').append(i % 2);
      rows.append('\n');
    }
    return Files.writeString(folder.resolve(name), rows);
  }

  private int execute(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Typed.execute(out, err, arguments);
  }

  private int train(String config) throws IOException {
    Path file = Files.writeString(folder.resolve("least.yaml"), config);
    return execute(
        "train",
        "--config=" + file,
        "--data=" + folder,
        "--bundles=" + folder.resolve("bundles"),
        "--work=" + folder.resolve("work"),
        "--no-bars");
  }

  private String refusal() {
    assertThat(err.toString().lines().filter(line -> line.startsWith("model-export"))).hasSize(1);
    assertThat(err.toString()).doesNotContain("\tat ");
    return err.toString();
  }

  @Test
  void train_outlier_namesFeatureRowAndTransform() throws IOException {
    rows("rows.csv", "1e20");
    assertThat(train(CONFIG + "training: {epochs: 3, batch: 8, threads: 1}\n")).isEqualTo(1);
    assertThat(refusal())
        .contains(
            "is NaN: the training data, row 13, has 1.0E20, of feature 'price'; transform: log1p")
        .contains("model-export train: ");
    assertThat(folder.resolve("bundles")).doesNotExist();
  }

  @Test
  void train_outlierUnderLog1p_isNoTrouble() throws IOException {
    rows("rows.csv", "1e20");
    String logarithm = CONFIG.replace("type: number}", "type: number, transform: log1p}");
    assertThat(train(logarithm + "training: {epochs: 3, batch: 8, threads: 1}\n"))
        .as(err.toString())
        .isZero();
  }

  /** The last step breaks the model, or an earlier one does: there is no step after to notice. */
  @ParameterizedTest
  @ValueSource(ints = {40, 20, 4})
  void train_learningRateTooHigh_saysSo(int batch) throws IOException {
    int status =
        train(
            CONFIG
                + "training: {epochs: 2, batch: %d, threads: 1, ".formatted(batch)
                + "dense: {optimizer: sgd, learning_rate: 1000}}\n");
    assertThat(status).isEqualTo(1);
    assertThat(refusal())
        .contains("lower the learning rates (dense 1000.0, rows 0.02) or set training.clip_norm");
    assertThat(folder.resolve("bundles/least")).doesNotExist();
  }

  @Test
  void predictAndEvaluate_outlier_nameFileRowAndFeature() throws IOException {
    assertThat(train(CONFIG + "training: {threads: 1}\n")).as(err.toString()).isZero();
    Path wild = rows("wild.csv", "3e38");
    String bundle = folder.resolve("bundles/least").toString();
    Path scores = folder.resolve("scores.csv");
    String message =
        wild
            + ", row 13: the probability of task 'click' is NaN; the row's largest number is"
            + " 3.0E38, of feature 'price'; transform: log1p";
    assertThat(execute("predict", bundle, wild.toString(), "--out=" + scores, "--no-bars"))
        .isEqualTo(1);
    assertThat(refusal()).contains(message);
    assertThat(scores).doesNotExist();
    assertThat(execute("evaluate", bundle, wild.toString(), "--no-bars")).isEqualTo(1);
    assertThat(refusal()).contains(message);
  }
}
