package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.DataException;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.FileFormat;
import dev.wukong.data.RowSource;
import dev.wukong.data.SchemaYaml;
import dev.wukong.run.Datasets;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code score} takes labels and weights as {@code evaluate} does. */
class LabelsTest {
  private static final FeatureEncoder ENCODER =
      new FeatureEncoder(
          SchemaYaml.parse(
              """
              name: s
              features: [{name: user, type: int64, ids: hash}]
              tasks: [{name: click, weights: w}, {name: seconds, threshold: 30}]
              """,
              "s"),
          Map.of());

  @TempDir private Path folder = Path.of("");

  @Test
  void labels_ofEveryForm_areThoseOfTraining() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("rows.csv"),
            "user,click,w,seconds\n1,TRUE,2.5,29.9\n2,false,,30\n3,,7,\n4, 1 ,0,1e3\n5,0.0,1,-1\n");
    EncodedExamples right;
    try (EncodedDataset data =
        new Datasets(new PrintWriter(new StringWriter()), false)
            .encode(file, FileFormat.named("csv"), ENCODER, folder.resolve("e"), true)) {
      right = data.range(0, 5, data.allocate(5));
    }
    try (Labels labels = new Labels(FileFormat.named("csv").open(file), ENCODER.schema().tasks())) {
      for (int row = 0; row < 5; row++) {
        assertThat(labels.next()).isTrue();
      }
      for (int row = 0; row < 5; row++) {
        Labels.Row own = labels.take();
        for (int task = 0; task < 2; task++) {
          assertThat(own.labels()[task]).isEqualTo(right.labels()[2 * row + task]);
          assertThat(own.weights()[task]).isEqualTo(right.labelWeights()[2 * row + task]);
        }
        if (row == 0) {
          assertThat(own.weights()[0]).isEqualTo(2.5f);
          assertThat(own.labels()[0]).isEqualTo(1);
        }
      }
      assertThat(right.labelWeights()[4]).isZero();
    }
  }

  @Test
  void labels_columnAbsent_haveNoWeight() throws IOException {
    Path file = Files.writeString(folder.resolve("rows.csv"), "user,seconds\n1,40\n");
    try (Labels labels = new Labels(FileFormat.named("csv").open(file), ENCODER.schema().tasks())) {
      assertThat(labels.next()).isTrue();
      assertThat(labels.take().weights()).containsExactly(0, 1);
    }
  }

  @Test
  void labels_withoutTheirWeights_areRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("rows.csv"), "user,click\n1,1\n");
    try (RowSource source = FileFormat.named("csv").open(file)) {
      assertThatThrownBy(() -> new Labels(source, ENCODER.schema().tasks()))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("has no column 'w' (task 'click')");
    }
  }
}
