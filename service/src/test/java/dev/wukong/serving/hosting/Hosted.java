package dev.wukong.serving.hosting;

import dev.wukong.bundle.Precision;
import dev.wukong.serving.batching.BatchPolicy;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowFormat;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.engine.EngineOptions;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Models without a watcher and without a service. */
public final class Hosted {
  static final Duration POLL = Duration.ofSeconds(2);

  private Hosted() {}

  /** A host without models. */
  static ModelHost host() {
    return new ModelHost(
        new BatchPolicy(16, 64, Duration.ofSeconds(1), 1),
        System::nanoTime,
        Clock.systemUTC(),
        new SimpleMeterRegistry(),
        model -> {});
  }

  /** What a watcher of {@code root} would be told. */
  static HostingOptions options(Path root) {
    return options(root, 1); // So that not all rows fit, and the store is used.
  }

  /** The same with so much memory for rows. */
  static HostingOptions options(Path root, long residentBytes) {
    return new HostingOptions(
        root,
        List.of(),
        POLL,
        EngineOptions.cpu(1, false, Precision.FP32),
        RowFormat.FP32,
        residentBytes,
        Map.of(),
        Optional.empty(),
        4);
  }

  /** The version in {@code bundle}, its rows on the heap. */
  public static HostedModel load(Path bundle) throws IOException {
    return load(bundle, new HeapRowStore());
  }

  /** The version in {@code bundle}, its rows in {@code store}. */
  static HostedModel load(Path bundle, RowStore store) throws IOException {
    return new BundleLoader(
            options(bundle),
            store,
            RowThreads.none(),
            new HotSets(Optional.empty(), System::nanoTime),
            LearnedWeights.NONE,
            new SimpleMeterRegistry(),
            () -> false,
            Supplier::get)
        .load(bundle, Map.of());
  }
}
