package dev.wukong.serving.hosting;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.SchemaDocument;
import dev.wukong.serving.batching.BatchCost;
import dev.wukong.serving.embedding.RowFormat;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.embedding.TierView;
import dev.wukong.serving.engine.Engine;
import dev.wukong.serving.engine.EngineException;
import dev.wukong.serving.engine.Engines;
import dev.wukong.serving.engine.SharedEngine;
import dev.wukong.serving.hosting.LearnedWeights.Learned;
import dev.wukong.serving.inputs.HostMemory;
import dev.wukong.serving.inputs.ModelInputs;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a model ready to serve from a bundle: verified, its rows in place, its golden rows right,
 * warm. One thread.
 */
final class BundleLoader {
  private static final Logger log = LoggerFactory.getLogger(BundleLoader.class);

  private final HostingOptions options;
  private final RowImport rows;
  private final LearnedWeights learned;
  private final Function<Supplier<Engine>, Engine> starts;

  /**
   * A loader into {@code store}.
   *
   * @param hot which rows were in memory before
   * @param learned what was learned since a bundle
   * @param meters count where requests find rows
   * @param stopping whether a load under way should be given up
   * @param starts makes an engine where the threads that it starts have an ordinary priority
   */
  BundleLoader(
      HostingOptions options,
      RowStore store,
      RowThreads threads,
      HotSets hot,
      LearnedWeights learned,
      MeterRegistry meters,
      BooleanSupplier stopping,
      Function<Supplier<Engine>, Engine> starts) {
    this.options = options;
    this.learned = learned;
    this.starts = starts;
    this.rows =
        new RowImport(
            store, threads, hot, options.rowFormat(), options.residentBytes(), meters, stopping);
  }

  /**
   * Loads the bundle in {@code folder}.
   *
   * @param costs what is known of batches, by {@link HostedModel#shape}: need not be measured again
   * @throws IOException if it cannot be read, or must not be used
   * @throws dev.wukong.runtime.DeviceException if the device cannot be used
   * @throws EngineException if its graph cannot be run here
   * @throws java.util.concurrent.CancellationException if it was given up
   */
  HostedModel load(Path folder, Map<String, BatchCost> costs) throws IOException {
    try (Bundle bundle = Bundle.open(folder, options.trusted())) {
      Precision precision = options.engine().precision();
      double tolerance = tolerance(bundle.manifest(), precision);
      Optional<Learned> since = learned.of(bundle);
      byte[] graph = since.isPresent() ? since.get().graph() : bundle.graph(precision.file());
      Engines own = new Engines(bundle.layout(), options.engine(), options.maxRows());
      Function<byte[], Engine> engines = of -> starts.apply(() -> own.load(of));
      HostedModel model = host(bundle, since, engines.apply(graph), engines, own.memory(), costs);
      boolean ready = false;
      try {
        check(
            bundle.manifest(), since, model, Math.max(tolerance, options.rowFormat().tolerance()));
        WarmUp.of(bundle.manifest().golden(), model);
        ready = true;
        return model;
      } finally {
        // Also after an error, such as too little memory: the next try needs what this one took.
        if (!ready) {
          model.release();
        }
      }
    }
  }

  private static double tolerance(Manifest manifest, Precision precision) throws IOException {
    return manifest
        .tolerance(precision)
        .orElseThrow(
            () ->
                new BundleException(
                    ("model '%s' version %d has no graph '%s', which wukong.engine.precision=%s"
                            + " needs: half precision was too far off, or the bundle is of an older"
                            + " build; set fp32, or train it again")
                        .formatted(
                            manifest.model(), manifest.version(), precision.file(), precision)));
  }

  /** The model over {@code engine}, which is closed where that fails. */
  private HostedModel host(
      Bundle bundle,
      Optional<Learned> since,
      Engine engine,
      Function<byte[], Engine> engines,
      HostMemory memory,
      Map<String, BatchCost> costs) {
    Manifest manifest = bundle.manifest();
    String shape = shape(manifest);
    @Nullable BatchCost known = costs.get(shape);
    boolean hosted = false;
    TierView view = null;
    try {
      LoadedBundle loaded =
          new LoadedBundle(
              manifest.model(),
              manifest.version(),
              origin(bundle),
              bundle.layout(),
              SchemaDocument.write(manifest.schema()),
              bundle.encoder(),
              manifest.encoding(),
              options.engine().precision(),
              shape,
              known == null ? new BatchCost(options.maxRows()) : BatchCost.like(known),
              engines,
              memory);
      view = rows.load(bundle, digest(bundle), learned.learns(manifest.model()));
      HostedModel model =
          new HostedModel(
              loaded,
              view,
              SharedEngine.of(engine),
              since.map(Learned::epoch).orElse(0L),
              since.map(Learned::dense).orElse(0L));
      hosted = true;
      return model;
    } finally {
      if (!hosted) {
        engine.close();
        if (view != null) {
          view.close();
        }
      }
    }
  }

  private static String origin(Bundle bundle) {
    return "manifest sha256 %s, %s"
        .formatted(
            bundle.manifestSha256(),
            bundle.signedBy().isEmpty()
                ? "no signature checked"
                : "signed by key " + bundle.signedBy());
  }

  private static String shape(Manifest manifest) {
    return "%s %s %s %s"
        .formatted(
            manifest.schema().id(),
            manifest.widths(),
            manifest.network().name(),
            manifest.network().hyperparameters());
  }

  /**
   * What the rows in the store must have come from to be these: names, sizes and hashes of the
   * files that hold them.
   */
  private static String digest(Bundle bundle) {
    return bundle.manifest().files().stream()
        .filter(file -> file.name().startsWith("rows/"))
        .map(file -> "%s %d %s".formatted(file.name(), file.size(), file.sha256()))
        .sorted()
        .collect(Collectors.joining("\n"));
  }

  /** Runs the golden rows through all that a request goes through but the wire. */
  private void check(
      Manifest manifest, Optional<Learned> since, HostedModel model, double tolerance)
      throws IOException {
    GoldenRows golden =
        since.map(now -> manifest.golden().by(now.golden())).orElse(manifest.golden());
    String what =
        "model '%s' version %d, %s%s"
            .formatted(
                manifest.model(),
                manifest.version(),
                model.precision().file(),
                options.rowFormat() == RowFormat.FP32
                    ? ""
                    : ", wukong.rows.format=" + options.rowFormat());
    double worst =
        golden.check(
            what,
            manifest.schema().tasks(),
            tolerance,
            (context, candidate, contextOf) -> {
              float[] probabilities = new float[candidate.rows() * model.tasks()];
              ModelInputs inputs = model.prepare(golden);
              try {
                model.run(
                    List.of(inputs),
                    scores -> scores.probabilities().asFloatBuffer().get(probabilities));
              } finally {
                inputs.recycle();
              }
              return probabilities;
            });
    log.info("{}: {} golden rows, largest difference {}", what, golden.candidate().rows(), worst);
  }
}
