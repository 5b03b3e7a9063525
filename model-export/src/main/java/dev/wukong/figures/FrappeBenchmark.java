package dev.wukong.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.Bundle;
import dev.wukong.cli.ServiceProcess;
import dev.wukong.data.EncodedDataset;
import dev.wukong.metrics.Metrics;
import dev.wukong.run.DataConfig;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import dev.wukong.training.BundleScorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Frappe from data to answers: the shipped configuration is trained, exported and evaluated; then
 * the same test rows go through a running service and through ONNX Runtime for Python.
 */
public final class FrappeBenchmark implements Benchmark {
  private static final String OTHER_ROWS = "shifted-rows";
  private static final int TEST_ROWS = 28_860;

  @Override
  public String name() {
    return "frappe";
  }

  @Override
  public String summary() {
    return "Wukong on Frappe: quality, examples a second, and the same probabilities from gRPC and"
        + " Python; some 15 minutes, resumable; option epochs=N for a trial without figures";
  }

  @Override
  public List<String> bugs() {
    return List.of(OTHER_ROWS);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    RunConfig shipped = RunConfig.read("frappe");
    int epochs = Math.toIntExact(context.option("epochs", shipped.training().epochs()));
    boolean trial = epochs != shipped.training().epochs();
    RunConfig config = trial ? shipped.withEpochs(epochs) : shipped;
    Path parts = context.makeParts().resolve(trial ? "trial-" + epochs : "whole");
    Path work = Files.createDirectories(parts.resolve("work"));
    Path data = context.data("frappe");
    context.jar("service"); // Missing things are named before the long part.
    PythonEnvironment python =
        PythonEnvironment.of(
            context.parts().resolve("venv"), List.of("numpy", "onnxruntime"), context.progress());

    Training training = new Training(config, new Device.Cpu(), context.progress(), false);
    Training.Outcome outcome =
        training
            .run(training.splits(data), work, parts.resolve("bundles"), "bench frappe")
            .orElseThrow();
    Path rateFile = parts.resolve("examples-per-second");
    if (Double.isFinite(outcome.rowsPerSecond())) {
      Files.writeString(rateFile, String.valueOf(outcome.rowsPerSecond()));
    }
    if (!Files.exists(rateFile)) {
      delete(work);
      throw new BenchmarkException(
          "void: the training had ended in an earlier run, and its rate is not known; start again");
    }
    double rate = Double.parseDouble(Files.readString(rateFile));
    Path test = data.resolve(files(config).test().orElseThrow());
    List<Figure> figures = figures(context, python, config, outcome.bundle(), test, parts, rate);
    if (trial) {
      figures.forEach(
          f ->
              context
                  .progress()
                  .printf(Locale.ROOT, "%s %.9g %s%n", f.name(), f.value(), f.note()));
      throw new BenchmarkException(
          "void: option 'epochs' makes this a trial of " + epochs + " epochs, without figures");
    }
    // The next run trains anew, only an interrupted one goes on; and its rate is its own.
    Files.delete(rateFile);
    delete(work);
    return figures;
  }

  private static List<Figure> figures(
      BenchmarkContext context,
      PythonEnvironment python,
      RunConfig config,
      Path folder,
      Path test,
      Path parts,
      double rate)
      throws IOException, BenchmarkException {
    try (Bundle bundle = Bundle.open(folder);
        BundleScorer scorer =
            new BundleScorer(bundle, new Device.Cpu(), config.training().threads());
        EncodedDataset data =
            BundleScores.encode(
                scorer, files(config).format(test), test, parts.resolve("test.encoded"))) {
      BundleScores scores = BundleScores.of(scorer, data);
      float[] own = scores.probabilities();
      Metrics metrics = scores.metrics();

      float[] served = served(context, config, test, parts, own.length);
      if (context.planted(OTHER_ROWS)) {
        float first = served[0];
        System.arraycopy(served, 1, served, 0, served.length - 1);
        served[served.length - 1] = first;
      }
      float[] others = PythonScores.of(python, bundle, data, parts);
      return List.of(
          Figure.of("auc", metrics.auc(), "1", ">=0.982", "test, by the exported bundle"),
          Figure.of("logloss", metrics.logLoss(), "nats", "<=0.165", metrics.toString()),
          Figure.of(
              "examples_per_second",
              rate,
              "1/s",
              "-",
              "training, mean over epochs, " + config.training().threads() + " threads"),
          Figure.of(
              "grpc_rows",
              served.length,
              "1",
              String.valueOf(TEST_ROWS),
              "in requests of " + ServedRows.REQUEST + " candidates"),
          Figure.of(
              "grpc_max_diff",
              ServedRows.difference("gRPC", own, served),
              "1",
              "<=1e-6",
              "largest difference of a probability to evaluate's, " + served.length + " compared"),
          Figure.of(
              "python_max_diff",
              ServedRows.difference("Python", own, others),
              "1",
              "<=1e-5",
              "predict.onnx under ONNX Runtime for Python, " + others.length + " compared"));
    }
  }

  static DataConfig.Files files(RunConfig config) {
    return switch (config.data()) {
      case DataConfig.Files files -> files;
      case DataConfig.Simulated simulated ->
          throw new IllegalStateException(simulated + " is not Frappe");
    };
  }

  /** The probabilities of the test file's rows as a running service gives them. */
  private static float[] served(
      BenchmarkContext context, RunConfig config, Path test, Path parts, int rows)
      throws IOException, BenchmarkException {
    Path work = Files.createDirectories(parts.resolve("service"));
    delete(work.resolve("store"));
    try (ServiceProcess process =
        ServiceProcess.start(context.jar("service"), parts.resolve("bundles"), work)) {
      return ServedRows.of(process, config.name(), files(config).format(test), test, rows);
    }
  }

  static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      List<Path> all;
      try (Stream<Path> found = Files.walk(folder)) {
        all = found.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path path : all) {
        Files.delete(path);
      }
    }
  }
}
