package dev.wukong.serving.hosting;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.bundle.Manifest;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.IdFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.ValueType;
import dev.wukong.data.Vocabulary;
import dev.wukong.serving.batching.BatchScores;
import dev.wukong.serving.embedding.EmbeddingTier;
import dev.wukong.serving.embedding.PreparedRows;
import dev.wukong.serving.embedding.RowStore;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;

/** Makes a model ready to serve from a bundle: verified, its rows in place, its golden rows right, warm. One thread. */
final class BundleLoader {
  private static final String GRAPH = "predict.onnx";
  private static final int WARM_RUNS = 3;

  private final HostingOptions options;
  private final RowImport rows;

  BundleLoader(HostingOptions options, RowStore store, Executor readers) {
    this.options = options;
    this.rows = new RowImport(store, readers, options.residentBytes());
  }

  /**
   * Loads the bundle in {@code folder}.
   *
   * @throws IOException if it cannot be read, or must not be used
   * @throws EngineException if its graph cannot be run here
   */
  HostedModel load(Path folder) throws IOException {
    try (Bundle bundle = Bundle.open(folder)) {
      byte[] graph = bundle.graph(GRAPH);
      Engine engine = OnnxEngine.load(graph, GraphInputs.names(bundle.layout()), options.engine());
      HostedModel model;
      try {
        model = host(bundle, engine);
      } catch (RuntimeException e) {
        engine.close();
        throw e;
      }
      try {
        check(bundle.manifest(), model);
        warm(bundle.manifest().golden(), model);
        return model;
      } catch (IOException | RuntimeException e) {
        model.retire();
        throw e;
      }
    }
  }

  private HostedModel host(Bundle bundle, Engine engine) {
    Manifest manifest = bundle.manifest();
    FeatureEncoder encoder = new FeatureEncoder(manifest.schema(), vocabularies(bundle));
    EmbeddingTier tier = rows.load(bundle, digest(bundle));
    return new HostedModel(
        manifest.model(), manifest.version(), bundle.layout(), schemaJson(manifest.schema()), encoder, tier, engine);
  }

  private static Map<String, Vocabulary> vocabularies(Bundle bundle) {
    Schema schema = bundle.manifest().schema();
    Map<String, Vocabulary> vocabularies = new HashMap<>();
    bundle
        .vocabularies()
        .forEach((space, values) -> vocabularies.put(space, Vocabulary.of(schema.ofSpace(space).type(), values)));
    return vocabularies;
  }
}
