package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Optimizers;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class TrainCommandTest {
  @TempDir Path folder;

  @Test
  void train_configurationOfDefaults_exportsABundleThatNamesThem() throws Exception {
    StringBuilder rows = new StringBuilder("user,item,click\n");
    for (int i = 0; i < 40; i++) {
      rows.append(i % 5).append(',').append(i % 7).append(',').append(i % 2).append('\n');
    }
    Files.writeString(folder.resolve("rows.csv"), rows);
    Path config =
        Files.writeString(
            folder.resolve("least.yaml"),
            """
            name: least
            data: {train: rows.csv}
            schema:
              name: least
              features:
                - {name: user, type: int64}
                - {name: item, type: int64}
              tasks:
                - {name: click}
            """);
    StringWriter said = new StringWriter();

    int status =
        new CommandLine(new TrainCommand())
            .setOut(new PrintWriter(said))
            .setErr(new PrintWriter(said))
            .setExecutionExceptionHandler(new Failures())
            .execute(
                "--config=" + config,
                "--data=" + folder,
                "--bundles=" + folder.resolve("bundles"),
                "--work=" + folder.resolve("work"),
                "--no-bars");

    assertThat(status).as(said.toString()).isZero();
    try (Bundle bundle = Bundle.open(folder.resolve("bundles/least/1"))) {
      Optimizers optimizers = bundle.manifest().optimizers();
      assertThat(optimizers.dense().path("optimizer").asString()).isEqualTo("adam");
      assertThat(optimizers.rows().path("optimizer").asString()).isEqualTo("row_wise_adagrad");
      assertThat(optimizers.rows().path("mode").asString()).isEqualTo("touched");
    }
  }
}
