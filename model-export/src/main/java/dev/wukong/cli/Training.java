package dev.wukong.cli;

import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.Provenance;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Progress;
import dev.wukong.data.RawNumber;
import dev.wukong.data.RowSource;
import dev.wukong.graph.Flops;
import dev.wukong.metrics.Metrics;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.training.BundleExport;
import dev.wukong.training.Evaluator;
import dev.wukong.training.NotFiniteException;
import dev.wukong.training.OptimizerConfig;
import dev.wukong.training.TrainSession;
import dev.wukong.training.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import me.tongfei.progressbar.ProgressBar;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A whole training: encode, train, evaluate, export. What the {@code train} command, the quickstart
 * and the benchmarks share.
 */
public final class Training {
  private static final int GOLDEN_ROWS = 16;

  /** How long the process lives on after Ctrl-C, to end a step and write a checkpoint. */
  private static final Duration CHECKPOINT_TIME = Duration.ofMinutes(5);

  private final RunConfig config;
  private final Device device;
  private final PrintWriter out;
  private final boolean bars;
  private final Optional<String> goOn;

  /**
   * The splits to train on and measure.
   *
   * @param files their names, for the manifest
   */
  public record Splits(
      Supplier<RowSource> train,
      Optional<Supplier<RowSource>> valid,
      Optional<Supplier<RowSource>> test,
      List<String> files) {}

  /**
   * What came of it.
   *
   * @param metrics by split, then task
   * @param rowsPerSecond examples trained on a second, the mean over the epochs of this run; NaN
   *     where all was resumed
   */
  public record Outcome(
      Path bundle,
      Map<String, Map<String, Metrics>> metrics,
      double rowsPerSecond,
      FeatureEncoder encoder) {}

  /** A training that Ctrl-C ends at once. */
  public Training(RunConfig config, Device device, PrintWriter out, boolean bars) {
    this(config, device, out, bars, Optional.empty());
  }

  /**
   * A training.
   *
   * @param goOn how it goes on after Ctrl-C or SIGTERM, for the user; these then end it after a
   *     checkpoint. Empty: they end the process at once
   */
  Training(RunConfig config, Device device, PrintWriter out, boolean bars, Optional<String> goOn) {
    this.config = config;
    this.device = device;
    this.out = out;
    this.bars = bars;
    this.goOn = goOn;
  }

  /** The splits as the configuration names them, below {@code data}. */
  public Splits files(Path data) {
    return new Splits(
        () -> open(data.resolve(config.train())),
        config.valid().map(name -> () -> open(data.resolve(name))),
        config.test().map(name -> () -> open(data.resolve(name))),
        java.util.stream.Stream.of(Optional.of(config.train()), config.valid(), config.test())
            .flatMap(Optional::stream)
            .toList());
  }

  private RowSource open(Path file) {
    return config.format(file).open(file);
  }

  /**
   * Trains and exports.
   *
   * @param work encoded data and checkpoints; an interrupted training goes on from there
   * @param bundles the root of all models
   * @return empty where it was stopped before its end
   * @throws IOException where a folder cannot be used, or another training is in {@code work}
   */
  public Optional<Outcome> run(Splits splits, Path work, Path bundles, String command)
      throws IOException {
    new BundleStore(bundles).checkWritable(config.name());
    try (WorkLock _ = WorkLock.take(work)) {
      return runAlone(splits, work, bundles, command);
    }
  }

  private Optional<Outcome> runAlone(Splits splits, Path work, Path bundles, String command)
      throws IOException {
    Datasets datasets = new Datasets(out, bars);
    FeatureEncoder encoder = datasets.encoder(config.schema(), splits.train());
    try (EncodedDataset train =
        datasets.encode("train", splits.train(), encoder, work.resolve("train.encoded"))) {
      LabelCheck.everyTask(train, "the training data (" + splits.files().getFirst() + ")");
      Optional<EncodedDataset> valid = optional(datasets, "valid", splits.valid(), encoder, work);
      Optional<EncodedDataset> test = optional(datasets, "test", splits.test(), encoder, work);
      try (TrainSession session =
          new TrainSession(
              config.model(),
              config.model().layout(config.schema()),
              config.training(),
              device,
              space ->
                  encoder
                      .rowsIn(space)
                      .orElseThrow(
                          () ->
                              new IllegalArgumentException(
                                  "training.rows.mode is 'whole_table', want 'touched': id space '"
                                      + space
                                      + "' is hashed without a bound and cannot be enumerated")))) {
        describe(session, encoder);
        OptionalDouble rate = train(session, train, valid, work);
        if (rate.isEmpty()) {
          return Optional.empty();
        }
        Map<String, Map<String, Metrics>> metrics = new LinkedHashMap<>();
        valid.ifPresent(data -> metrics.put("valid", evaluate(session, data, "validation")));
        test.ifPresent(data -> metrics.put("test", evaluate(session, data, "test")));
        metrics.forEach(
            (split, tasks) ->
                tasks.forEach((task, m) -> out.printf("%-6s %-12s %s%n", split, task, m)));
        BundleExport.Comparison comparison =
            BundleExport.Comparison.of(
                valid.isPresent() ? "valid" : "train",
                valid.orElse(train),
                config.training().batch(),
                config.training().threads());
        BundleExport.Written written =
            export(
                session,
                encoder,
                valid.orElse(train),
                comparison,
                metrics,
                splits,
                train.rows(),
                command,
                bundles);
        out.println(
            written
                .half()
                .map(half -> Precisions.line(Precision.FP16, half))
                .orElse("fp16: too far off, the bundle has no " + Precision.FP16.file()));
        out.printf("bundle %s%n", written.folder());
        out.flush();
        return Optional.of(new Outcome(written.folder(), metrics, rate.getAsDouble(), encoder));
      } catch (NotFiniteException e) {
        throw e.inTraining(RawNumber.largest(train), rates());
      } finally {
        valid.ifPresent(EncodedDataset::close);
        test.ifPresent(EncodedDataset::close);
      }
    }
  }

  private String rates() {
    return "dense %s, rows %s"
        .formatted(
            config.training().dense().learningRate(),
            config.training().rows().optimizer().learningRate());
  }

  private static Optional<EncodedDataset> optional(
      Datasets datasets,
      String name,
      Optional<Supplier<RowSource>> source,
      FeatureEncoder encoder,
      Path work)
      throws IOException {
    return source.isEmpty()
        ? Optional.empty()
        : Optional.of(
            datasets.encode(name, source.get(), encoder, work.resolve(name + ".encoded")));
  }

  private void describe(TrainSession session, FeatureEncoder encoder) {
    long dense =
        session.graph().weights().keySet().stream()
            .mapToLong(w -> w.shape().elements().size())
            .sum();
    long rows =
        session.layout().tables().stream()
            .mapToLong(t -> encoder.rowsIn(t.idSpace()).orElse(0) * t.width())
            .sum();
    out.printf(
        "model %s: %,d dense weights, %,d embedding weights, %,d FLOPs per example (forward)%n",
        config.name(),
        dense,
        rows,
        Flops.perExample(RankerGraphs.predict(config.model(), session.layout()), "B").products());
    out.flush();
  }

  /** Trains; gives the mean of the epochs' rows a second, or nothing where it was stopped. */
  private OptionalDouble train(
      TrainSession session, EncodedDataset train, Optional<EncodedDataset> valid, Path work)
      throws IOException {
    try (ProgressBar bar = bars ? Bars.rows("train", train.rows()) : Bars.silent()) {
      TrainingReport report = new TrainingReport(out, bar);
      if (goOn.isEmpty()) {
        boolean _ =
            new Trainer(session, train, valid, work, System::nanoTime, () -> false).run(report);
        return OptionalDouble.of(report.rowsPerSecond());
      }
      try (Stop stop = new Stop(CHECKPOINT_TIME)) {
        if (new Trainer(session, train, valid, work, System::nanoTime, stop::asked).run(report)) {
          return OptionalDouble.of(report.rowsPerSecond());
        }
        out.println(goOn.get());
        out.flush();
        return OptionalDouble.empty();
      }
    }
  }

  private Map<String, Metrics> evaluate(TrainSession session, EncodedDataset data, String split) {
    try {
      return Evaluator.evaluate(session::score, data, config.training().batch(), Progress.NONE);
    } catch (NotFiniteException e) {
      throw e.in("the " + split + " data");
    }
  }

  private BundleExport.Written export(
      TrainSession session,
      FeatureEncoder encoder,
      EncodedDataset golden,
      BundleExport.Comparison comparison,
      Map<String, Map<String, Metrics>> metrics,
      Splits splits,
      long rows,
      String command,
      Path bundles)
      throws IOException {
    int count = (int) Math.min(Math.min(GOLDEN_ROWS, golden.rows()), config.training().batch());
    EncodedExamples examples = golden.range(0, count, golden.allocate(count));
    return BundleExport.write(
        bundles,
        session,
        config.model(),
        encoder,
        examples,
        comparison,
        new BundleExport.About(
            config.name(),
            config.model().toJson().path("type").asString(),
            config.model().toJson(),
            optimizer(config.trainingJson().path("dense"), config.training().dense()),
            optimizer(config.trainingJson().path("rows"), config.training().rows().optimizer())
                .put("mode", config.training().rows().mode().name().toLowerCase(Locale.ROOT)),
            new Provenance(
                config.training().seed(),
                splits.files(),
                rows,
                command,
                Map.of("java", Runtime.version().toString(), "onnxruntime", OnnxRuntime.version())),
            metrics,
            Clock.systemUTC().instant()));
  }

  /** What the configuration says of an optimizer, and what it left to the defaults. */
  private static ObjectNode optimizer(JsonNode given, OptimizerConfig optimizer) {
    ObjectNode result =
        given instanceof ObjectNode object
            ? object.deepCopy()
            : JsonNodeFactory.instance.objectNode();
    String name =
        switch (optimizer) {
          case OptimizerConfig.Sgd _ -> "sgd";
          case OptimizerConfig.Adam _ -> "adam";
          case OptimizerConfig.RowWiseAdaGrad _ -> "row_wise_adagrad";
        };
    return result.put("optimizer", name).put("learning_rate", optimizer.learningRate());
  }
}
