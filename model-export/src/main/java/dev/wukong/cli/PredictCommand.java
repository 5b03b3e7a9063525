package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.Progress;
import dev.wukong.data.Task;
import dev.wukong.training.BundleScorer;
import dev.wukong.training.Evaluator;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code predict}. */
@Command(
    name = "predict",
    description = {
      "Writes the probabilities of a data file's rows as CSV, one column a task, in the file's"
          + " order.",
      "The file needs no labels."
    },
    mixinStandardHelpOptions = true)
final class PredictCommand extends BundleCommand {
  private static final int BATCH = 4096;

  @Parameters(index = "1", description = "The data file.")
  private Path file = Path.of("");

  @Option(
      names = {"-o", "--out"},
      required = true,
      description = "The CSV file to write.")
  private Path out = Path.of("");

  @Override
  public Integer call() throws Exception {
    OutputFile.check(out, file);
    try (Bundle open = open();
        BundleScorer scorer = scorer(open)) {
      List<Task> tasks = open.manifest().schema().tasks();
      withRows(file, scorer, data -> write(data, scorer, tasks));
    }
    return 0;
  }

  private void write(EncodedDataset data, BundleScorer scorer, List<Task> tasks)
      throws IOException {
    try (OutputFile target = OutputFile.create(out)) {
      PrintWriter writer =
          new PrintWriter(
              new BufferedWriter(
                  new OutputStreamWriter(target.stream(), StandardCharsets.UTF_8), 1 << 16));
      writer.println(tasks.stream().map(Task::name).collect(Collectors.joining(",")));
      Evaluator.score(
          scorer::score,
          data,
          BATCH,
          Progress.NONE,
          (examples, probabilities) -> {
            for (int i = 0; i < examples.rows(); i++) {
              for (int t = 0; t < tasks.size(); t++) {
                writer.print(t == 0 ? "" : ",");
                writer.print(probabilities[i * tasks.size() + t]);
              }
              writer.println();
            }
          });
      if (writer.checkError()) {
        throw new IOException(out + " cannot be written");
      }
      target.commit();
    }
  }
}
