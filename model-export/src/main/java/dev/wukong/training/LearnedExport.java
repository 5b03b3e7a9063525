package dev.wukong.training;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleWriter;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.ManifestDraft;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.Provenance;
import dev.wukong.bundle.ReducedGraph;
import dev.wukong.bundle.SigningKey;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Table;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Writes what a bundle's model has become by online training as the next version: it serves and
 * trains on as the model would have here. Rows pass through; they are never in memory together.
 */
public final class LearnedExport {
  private static final String GOLDEN = "golden";

  private LearnedExport() {}

  /** All rows, by table and ascending id. */
  @FunctionalInterface
  public interface Rows {
    /** Gives each row to {@code receiver}. */
    void forEach(Receiver receiver);
  }

  /** Takes a row. */
  @FunctionalInterface
  public interface Receiver {
    /**
     * One row; the arrays are copied.
     *
     * @param table its ordinal
     * @param state of the optimizer
     */
    void row(int table, long id, float[] row, float[] state);
  }

  /**
   * What was learned.
   *
   * @param dense as {@link OnlineSession#dense} gave it; none: that of the bundle
   * @param steps made so far, those before the bundle included
   * @param origin the same rows by key, with these default rows, by the table's ordinal
   */
  public record Learned(
      Map<String, float[]> dense,
      long steps,
      Rows rows,
      Function<List<float[]>, RowOrigin> origin) {}

  /**
   * What the bundle says of itself beside the weights.
   *
   * @param metrics by split, then task, then metric; finite
   * @param golden examples whose scores it must repeat: the golden rows of the bundle before
   */
  public record About(
      Map<String, Map<String, Map<String, Double>>> metrics,
      Provenance provenance,
      Instant created,
      EncodedExamples golden) {}

  /**
   * What was written.
   *
   * @param manifestSha256 64 hex digits
   */
  public record Written(Path folder, long version, String manifestSha256) {}

  /**
   * Writes the next version below {@code root}.
   *
   * @param source the bundle that was trained further
   * @param above its number is, beside those of all that the model has had
   * @param signer empty: it is not signed
   * @throws NotFiniteException where a weight or a score is no finite number
   */
  public static Written write(
      Path root,
      Bundle source,
      long above,
      Learned learned,
      About about,
      Optional<SigningKey> signer)
      throws IOException {
    Manifest manifest = source.manifest();
    try (BundleWriter writer = BundleWriter.createAbove(root, manifest.model(), above)) {
      writer.signWith(signer);
      List<Table> tables = source.layout().tables();
      List<float[]> means = rows(writer, tables, learned.rows());
      Map<String, float[]> defaults = new LinkedHashMap<>();
      tables.forEach(table -> defaults.put(table.name(), means.get(table.ordinal())));
      int batch = Math.max(1, about.golden().rows());
      try (OnlineSession session =
          OnlineSession.of(
              source,
              new OnlineSession.Options(batch, 1, new Device.Cpu(), Precision.FP32),
              learned.origin().apply(means))) {
        if (!learned.dense().isEmpty()) {
          session.restore(learned.dense());
        }
        session.restoreSteps(learned.steps());
        writer.file(Precision.FP32.file(), session.predictGraph());
        writer.file(BundleExport.TRAIN, source.graph(BundleExport.TRAIN));
        writer.dense(BundleExport.dense(session.session(), session.session().snapshot()));
        writer.vocabularies(source.vocabularies());
        GoldenRows golden = manifest.golden().by(probabilities(session, about.golden()));
        Optional<ReducedGraph> half = half(writer, source, session, about.golden());
        Path folder =
            writer.finish(
                new ManifestDraft(
                    about.created(),
                    manifest.schema(),
                    manifest.widths(),
                    manifest.network(),
                    OnnxWriter.OPSET,
                    manifest.optimizers(),
                    about.provenance(),
                    about.metrics(),
                    defaults,
                    golden,
                    half.map(graph -> Map.of(Precision.FP16, graph)).orElse(Map.of())));
        return new Written(folder, writer.version(), writer.manifestSha256());
      }
    }
  }

  /** Writes all rows with their state; returns each table's default row, by its ordinal. */
  private static List<float[]> rows(BundleWriter writer, List<Table> tables, Rows rows)
      throws IOException {
    TableBlock block = new TableBlock(writer, tables);
    MeanRows means = new MeanRows(tables);
    try {
      rows.forEach(
          (table, id, row, state) -> {
            means.add(table, id, row);
            block.add(table, id, row, state);
          });
      block.flush();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return means.rows();
  }

  private static float[] probabilities(OnlineSession session, EncodedExamples golden) {
    float[] probabilities = session.score(golden);
    for (float probability : probabilities) {
      if (!Float.isFinite(probability)) {
        throw new NotFiniteException("the probability of a golden row is " + probability);
      }
    }
    return probabilities;
  }

  /** The graph in half precision, where the source has one and the new weights still allow it. */
  private static Optional<ReducedGraph> half(
      BundleWriter writer, Bundle source, OnlineSession session, EncodedExamples golden)
      throws IOException {
    if (!source.manifest().precisions().containsKey(Precision.FP16)) {
      return Optional.empty();
    }
    byte[] graph = LearnedGraph.of(source.manifest(), Precision.FP16).file(session.dense());
    Optional<ReducedGraph> found;
    try (HalfPrecision half = new HalfPrecision(graph, session.session(), 1)) {
      // There is no other data here; how far the graphs are apart, golden rows say.
      found = half.compare(golden, new BundleExport.Comparison(GOLDEN, List.of(golden), 1));
    }
    if (found.isPresent()) {
      writer.file(Precision.FP16.file(), graph);
    }
    return found;
  }
}
