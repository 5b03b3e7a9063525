package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.BundleWriter;
import dev.wukong.run.WorkLock;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code train} finds out before it reads data. */
class TrainChecksTest {
  /** A configuration of {@code rows.csv}, without model and training. */
  static final String CONFIG =
      """
      name: least
      data: {train: rows.csv}
      schema:
        name: least
        features:
          - {name: user, type: int64}
          - {name: price, type: number}
        tasks: [{name: click}]
      """;

  @TempDir private Path folder = Path.of("");

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void files() throws IOException {
    Files.writeString(folder.resolve("rows.csv"), "user,price,click\n1,2,1\n2,3,0\n3,4,1\n4,5,0\n");
  }

  private int train(String config) throws IOException {
    return train(config, folder.resolve("bundles"));
  }

  private int train(String config, Path bundles) throws IOException {
    Path file = Files.writeString(folder.resolve("least.yaml"), config);
    return Typed.execute(
        out,
        err,
        "train",
        "--config=" + file,
        "--data=" + folder,
        "--bundles=" + bundles,
        "--work=" + folder.resolve("work"),
        "--no-bars");
  }

  /** One line, status 1, and no data was read. */
  private void refused(int status, String message) {
    assertThat(err.toString().strip().lines()).hasSize(1);
    assertThat(err.toString()).contains(message);
    assertThat(status).isEqualTo(1);
    assertThat(out.toString()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Shop", "a b", "../x", "ü", "a.b"})
  void name_notOfAModel_isRefused(String name) throws IOException {
    refused(
        train(CONFIG.replace("name: least\ndata", "name: \"" + name + "\"\ndata")),
        "least.yaml: name is '" + name + "', want 1 to 64 of a-z, 0-9, _ and -");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = ';',
      value = {
        "training: {batch: 99999999999999999999999}; least.yaml: training.batch is"
            + " 99999999999999999999999, want a whole number from 1 to 1048576",
        "training: {seed: 9223372036854775808}; least.yaml: training.seed is"
            + " 9223372036854775808, want a whole number from 0 to 2147483647",
        "model: {head: {hidden: [99999999999999999999999]}}; least.yaml: model.head.hidden has"
            + " 99999999999999999999999, want whole numbers from",
        "training: {clip_norm: .nan}; least.yaml: line 9: '.nan' is no number that can be used",
        "training: {clip_norm: .inf}; least.yaml: line 9: '.inf' is no number that can be used",
        "training: {clip_norm: -.inf}; least.yaml: line 9: '-.inf' is no number that can be used",
        "training: {epochs: 2, epochs: 3}; least.yaml: line 9: the key 'epochs' stands twice",
        "data: {train: other.csv}; least.yaml: line 9: the key 'data' stands twice",
        "model: {embedding: {widths: {usr: 4}}}; least.yaml: model.embedding.widths names 'usr'",
        "model: {embedding: {counts: {price: 2}}}; least.yaml: model.embedding.counts names"
            + " 'price', which is no id feature of schema 'least'",
        "training: [; least.yaml: line 9: this is not YAML: "
      })
  void configuration_mistake_isOneLine(String more, String message) throws IOException {
    refused(train(CONFIG + more + "\n"), message);
  }

  @Test
  void configuration_notText_isOneLine() throws IOException {
    Path file = Files.write(folder.resolve("junk.yaml"), new byte[] {(byte) 0xC3, 0x28});
    int status =
        ModelExport.line()
            .setErr(new PrintWriter(err))
            .execute("train", "--config=" + file, "--work=" + folder.resolve("work"));
    refused(status, "junk.yaml' is not text in UTF-8");
  }

  @Test
  void schema_withoutTasks_isRefused() throws IOException {
    refused(
        train(CONFIG.replace("tasks: [{name: click}]", "tasks: []")),
        "least.yaml: schema.tasks is empty, want at least one task to train");
  }

  @Test
  void wholeTable_ofAHashWithoutABound_isRefused() throws IOException {
    refused(
        train(
            CONFIG.replace("type: int64}", "type: int64, ids: hash}")
                + "training: {rows: {mode: whole_table}}\n"),
        "least.yaml: training.rows.mode is 'whole_table', want 'touched': id space 'user'");
  }

  @Test
  void name_of65Letters_isRefused() throws IOException {
    refused(
        train(CONFIG.replace("name: least\ndata", "name: " + "x".repeat(65) + "\ndata")),
        "want 1 to 64 of");
  }

  @Test
  void bundles_underAFile_areRefused() throws IOException {
    Path file = folder.resolve("rows.csv");
    refused(train(CONFIG, file.resolve("bundles")), file.toString() + " is not a folder");
  }

  @Test
  void bundles_otherWriterOfTheModel_isRefused() throws IOException {
    try (BundleWriter writer = BundleWriter.create(folder.resolve("bundles"), "least")) {
      refused(train(CONFIG), "least: another writer is at work");
      assertThat(writer.version()).isEqualTo(1);
    }
  }

  @Test
  void bundles_check_makesNothing() throws IOException {
    new BundleStore(folder.resolve("new/bundles")).checkWritable("least");
    assertThat(folder.resolve("new")).doesNotExist();
  }

  @Test
  void work_ofAnotherTraining_isRefused() throws IOException {
    try (WorkLock held = WorkLock.take(folder.resolve("work/least"), "--work")) {
      assertThat(held).isNotNull();
      refused(
          train(CONFIG), "work/least' is in use by another training; want another --work, or wait");
    }
    assertThat(train(CONFIG)).as(err.toString()).isZero();
  }
}
