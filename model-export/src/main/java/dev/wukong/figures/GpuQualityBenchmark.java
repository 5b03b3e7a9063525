package dev.wukong.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedDataset;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxReader;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Training;
import dev.wukong.runtime.CudaOptions;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.training.BundleScorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What half precision costs Frappe's test set on a GPU, beside single precision there. */
public final class GpuQualityBenchmark implements Benchmark {
  @Override
  public String name() {
    return "gpu-quality";
  }

  @Override
  public String summary() {
    return "AUC and probabilities of Frappe's test set in half and in single precision on a GPU; a"
        + " minute where the benchmark frappe has left its bundle, 15 where it trains one; option"
        + " device=cuda:0|cpu, epochs=N";
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    Device device = device(context);
    boolean cpu = device instanceof Device.Cpu;
    RunConfig shipped = RunConfig.read("frappe");
    int epochs = (int) context.option("epochs", shipped.training().epochs());
    RunConfig config = epochs == shipped.training().epochs() ? shipped : shipped.withEpochs(epochs);
    Path data = context.data("frappe");
    Path folder = bundle(context, config, device, data);
    Path test = data.resolve(FrappeBenchmark.files(config).test().orElseThrow());
    List<BundleScores> scores = new ArrayList<>();
    List<BundleScores> rounded = new ArrayList<>();
    try (Bundle bundle = Bundle.open(folder)) {
      if (bundle.manifest().tolerance(Precision.FP16).isEmpty()) {
        throw new BenchmarkException(folder + " has no graph in half precision");
      }
      int threads = config.training().threads();
      for (Precision precision : List.of(Precision.FP32, Precision.FP16)) {
        try (BundleScorer scorer = new BundleScorer(bundle, precision, device, threads)) {
          scores.add(scores(context, config, scorer, test));
        }
      }
      for (int bits : List.of(RoundedGraph.HALF, RoundedGraph.BFLOAT16)) {
        try (BundleScorer scorer = rounded(bundle, bits, threads)) {
          rounded.add(scores(context, config, scorer, test));
        }
      }
    }
    BundleScores full = scores.get(0);
    BundleScores half = scores.get(1);
    String of = cpu ? "_cpu" : "";
    BundleScores coarse = rounded.get(1);
    return List.of(
        Figure.of(
            "auc_difference" + of,
            Math.abs(full.metrics().auc() - half.metrics().auc()),
            "1",
            cpu ? "-" : "<=1e-5",
            "%d test rows; single %.7f, half %.7f; log loss %.7f and %.7f"
                .formatted(
                    full.probabilities().length,
                    full.metrics().auc(),
                    half.metrics().auc(),
                    full.metrics().logLoss(),
                    half.metrics().logLoss())),
        Figure.of("max_probability_difference" + of, difference(full, half), "1"),
        Figure.of(
            "bf16_auc_difference",
            Math.abs(full.metrics().auc() - coarse.metrics().auc()),
            "1",
            "-",
            "every number rounded to 8 bits, on a CPU; AUC %.7f; log loss %.7f; rounded to 11 bits,"
                    .formatted(coarse.metrics().auc(), coarse.metrics().logLoss())
                + " as a half is, AUC %.7f".formatted(rounded.get(0).metrics().auc())),
        Figure.of(
            "bf16_max_probability_difference",
            difference(full, coarse),
            "1",
            "-",
            "rounded to 11 bits, as a half is: %.4f".formatted(difference(full, rounded.get(0)))));
  }

  private static BundleScores scores(
      BenchmarkContext context, RunConfig config, BundleScorer scorer, Path test) {
    Path encoded = context.parts().resolve("test.encoded");
    try (EncodedDataset data =
        BundleScores.encode(scorer, FrappeBenchmark.files(config).format(test), test, encoded)) {
      return BundleScores.of(scorer, data);
    }
  }

  private static double difference(BundleScores full, BundleScores other)
      throws BenchmarkException {
    return ServedRows.difference("rounded", full.probabilities(), other.probabilities());
  }

  /** The bundle's graph with every half rounded to some bits instead. */
  private static BundleScorer rounded(Bundle bundle, int bits, int threads) throws IOException {
    Graph half = OnnxReader.read(bundle.graph(Precision.FP16.file())).graph();
    byte[] graph =
        OnnxWriter.write(RoundedGraph.of(half, bits), Lowering.CPU, Map.of(), Map.of())
            .toByteArray();
    return BundleScorer.with(graph, bundle, new Device.Cpu(), threads);
  }

  private static Device device(BenchmarkContext context) throws BenchmarkException {
    try {
      Device device = Device.parse(context.options().getOrDefault("device", "cuda:0"));
      OnnxRuntime.require(device, CudaOptions.DEFAULT);
      return device;
    } catch (DeviceException | IllegalArgumentException e) {
      throw new BenchmarkException(
          e.getMessage()
              + "; this benchmark is for a GPU, the option device=cpu shows the same code without");
    }
  }

  /** A bundle of the shipped configuration: an earlier run's, or trained now. */
  private static Path bundle(BenchmarkContext context, RunConfig config, Device device, Path data)
      throws IOException, BenchmarkException {
    Path own = context.makeParts().resolve("bundles-" + config.training().epochs());
    Path others = context.parts().resolveSibling("frappe").resolve("whole").resolve("bundles");
    for (Path root : List.of(own, others)) {
      Optional<Path> found = newest(root.resolve(config.name()));
      if (found.isPresent()) {
        return found.get();
      }
    }
    Path work = Files.createDirectories(context.parts().resolve("work"));
    Training training = new Training(config, device, context.progress(), false);
    Training.Outcome outcome =
        training.run(training.splits(data), work, own, "bench gpu-quality").orElseThrow();
    FrappeBenchmark.delete(work);
    return outcome.bundle();
  }

  private static Optional<Path> newest(Path model) throws IOException {
    if (!Files.isDirectory(model)) {
      return Optional.empty();
    }
    try (Stream<Path> versions = Files.list(model)) {
      return versions
          .filter(path -> Files.exists(path.resolve("manifest.json")))
          .max(java.util.Comparator.naturalOrder());
    }
  }
}
