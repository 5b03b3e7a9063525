package dev.wukong.run;

import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Precision;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.metrics.Metrics;
import dev.wukong.runtime.Device;
import dev.wukong.terminal.Bars;
import dev.wukong.terminal.Stop;
import dev.wukong.training.BundleExport;
import dev.wukong.training.TrainSession;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import me.tongfei.progressbar.ProgressBar;

/**
 * A whole training: encode, train, evaluate, export. What the {@code train} command, the quickstart
 * and the benchmarks share.
 */
public final class Training {
  /** How long the process lives on after Ctrl-C, to end a step and write a checkpoint. */
  public static final Duration CHECKPOINT_TIME = Duration.ofMinutes(5);

  private final RunConfig config;
  private final Device device;
  private final PrintWriter out;
  private final boolean bars;
  private final Optional<String> goOn;

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
  public Training(
      RunConfig config, Device device, PrintWriter out, boolean bars, Optional<String> goOn) {
    this.config = config;
    this.device = device;
    this.out = out;
    this.bars = bars;
    this.goOn = goOn;
  }

  /** The splits as the configuration says; its files lie in {@code data}. */
  public Splits splits(Path data) {
    return Splits.of(config.data(), data);
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
    TrainSession.check(config.model().layout(config.schema()), config.training(), device);
    try (WorkLock _ = WorkLock.take(work, "--work");
        EncodedSplits data =
            EncodedSplits.encode(splits, config.schema(), work, new Datasets(out, bars));
        ModelRun run = new ModelRun(config, data, device)) {
      describe(run.size());
      OptionalDouble rate = train(run, data, work);
      if (rate.isEmpty()) {
        return Optional.empty();
      }
      Map<String, Map<String, Metrics>> metrics = run.evaluate();
      metrics.forEach(
          (split, tasks) ->
              tasks.forEach((task, m) -> out.printf("%-6s %-12s %s%n", split, task, m)));
      BundleExport.Written written = run.export(bundles, metrics, command);
      out.println(
          written
              .half()
              .map(half -> Precisions.line(Precision.FP16, half))
              .orElse("fp16: too far off, the bundle has no " + Precision.FP16.file()));
      out.printf("bundle %s%n", written.folder());
      out.flush();
      return Optional.of(
          new Outcome(written.folder(), metrics, rate.getAsDouble(), data.encoder()));
    }
  }

  private void describe(ModelRun.Size size) {
    out.printf(
        "model %s: %,d dense weights, %,d embedding weights%s, %,d FLOPs per example (forward)%n",
        config.name(),
        size.denseWeights(),
        size.embeddingWeights(),
        size.grows() ? " and those of hashed ids as they come" : "",
        size.flops());
    out.flush();
  }

  /** Trains; gives the mean of the epochs' rows a second, or nothing where it was stopped. */
  private OptionalDouble train(ModelRun run, EncodedSplits data, Path work) throws IOException {
    try (ProgressBar bar = bars ? Bars.rows("train", data.train().rows()) : Bars.silent()) {
      TrainingReport report = new TrainingReport(out, bar);
      if (goOn.isEmpty()) {
        boolean _ = run.train(work, () -> false, report);
        return OptionalDouble.of(report.rowsPerSecond());
      }
      try (Stop stop = new Stop(CHECKPOINT_TIME)) {
        if (run.train(work, stop::asked, report)) {
          return OptionalDouble.of(report.rowsPerSecond());
        }
        out.println(goOn.get());
        out.flush();
        return OptionalDouble.empty();
      }
    }
  }
}
