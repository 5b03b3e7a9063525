package dev.wukong.figures;

import dev.wukong.config.Section;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.ValueType;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.training.UntrainedBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The models of benchmarks: 27 id features, 10 of the context, 17 of the candidate. */
public enum LoadModel {
  /** d 16, l 2, nF = nL = 8, k 8, MLPs 64. */
  SMALL(16, 2, 8, 8, "[64]"),
  /** d 64, l 3, nF = nL = 16, k 24, MLPs 512. */
  LARGE(64, 3, 16, 24, "[512]"),
  /** Model M of the design: d 128, l 4, nF = nL = 16, k 24, MLPs 512-512. */
  M(128, 4, 16, 24, "[512, 512]");

  public static final int CONTEXT_FEATURES = 10;
  public static final int CANDIDATE_FEATURES = 17;

  private final int width;
  private final int layers;
  private final int embeddings;
  private final int rank;
  private final String mlp;

  LoadModel(int width, int layers, int embeddings, int rank, String mlp) {
    this.width = width;
    this.layers = layers;
    this.embeddings = embeddings;
    this.rank = rank;
    this.mlp = mlp;
  }

  /** The name under which it is served. */
  public String title() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Floats a row. */
  public int width() {
    return width;
  }

  /** The features, each with ids of a hash of {@code buckets}. */
  public static Schema schema(long buckets) {
    List<Feature> features = new ArrayList<>();
    for (int i = 0; i < CONTEXT_FEATURES + CANDIDATE_FEATURES; i++) {
      boolean context = i < CONTEXT_FEATURES;
      String name = (context ? "u" : "c") + i;
      features.add(
          new IdFeature(
              name,
              context ? Scope.CONTEXT : Scope.CANDIDATE,
              name,
              ValueType.INT64,
              new IdMapping.Hash(buckets),
              name,
              1,
              Pooling.SUM,
              Optional.empty(),
              IdFeature.SEPARATOR));
    }
    return new Schema(
        "load", features, List.of(new Task("click", "click", Optional.empty(), Optional.empty())));
  }

  /** The features where all tables together have {@code rows} rows. */
  public static Schema schemaOf(long rows) {
    return schema(buckets(rows));
  }

  /** Distinct values of a feature that requests to such tables draw from. */
  public static int values(long rows) {
    return Math.toIntExact(rows / (CONTEXT_FEATURES + CANDIDATE_FEATURES));
  }

  /** Rows of a table besides the two reserved ones. */
  public static long buckets(long rows) {
    return rows / (CONTEXT_FEATURES + CANDIDATE_FEATURES) - 2;
  }

  /** Its bundles with {@code rows} rows in all tables together. */
  public UntrainedBundle bundle(long rows) {
    return new UntrainedBundle(schemaOf(rows), config(), buckets(rows));
  }

  /** Its hyperparameters. */
  public RankerConfig config() {
    return RankerConfig.read(
        Section.parse(
            title(),
            """
            type: wukong
            embedding: {width: %d}
            layers: %d
            fm_embeddings: %d
            linear_embeddings: %d
            rank: %d
            fm_mlp: {hidden: %s}
            attention: {mlp: {hidden: %s}}
            head: {hidden: %s}
            """
                .formatted(width, layers, embeddings, embeddings, rank, mlp, mlp, mlp)));
  }

  /**
   * Writes the bundle {@code <root>/<title>/<version>}; one that an earlier run has left may be of
   * another graph and is replaced.
   */
  public Path write(Path root, long version, long rows) throws IOException {
    return write(root, version, rows, false);
  }

  /**
   * The same.
   *
   * @param half whether it has a graph in half precision, too
   */
  public Path write(Path root, long version, long rows, boolean half) throws IOException {
    Path before = root.resolve(title()).resolve(Long.toString(version));
    if (Files.exists(before)) {
      try (Stream<Path> files = Files.walk(before)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
    return bundle(rows).write(root, title(), version, half);
  }
}
