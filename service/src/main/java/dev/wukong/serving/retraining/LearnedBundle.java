package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.Provenance;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.joining.Join;
import dev.wukong.serving.joining.LogPlace;
import dev.wukong.training.LearnedExport;
import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/** Writes what a bundle's model has learned by the last commit as its next version. */
final class LearnedBundle {
  private static final String LOG_POSITION = "learned-log-position";
  private static final String LOG_TIME = "learned-log-time-ms";

  private final StateStore store;
  private final BundleStore bundles;

  /**
   * A writer of bundles.
   *
   * @param bundles where they are written, and how they are signed
   */
  LearnedBundle(StateStore store, BundleStore bundles) {
    this.store = store;
    this.bundles = bundles;
  }

  /**
   * What was written.
   *
   * @param version of the new bundle
   * @param source the version that had learned
   * @param epoch who had trained it last
   * @param dense how often its dense weights had changed
   * @param manifestSha256 64 hex digits
   */
  record Exported(long version, long source, long epoch, long dense, String manifestSha256) {}

  /**
   * Writes it. Nobody may commit meanwhile.
   *
   * @param source the bundle that has learned: something is committed
   * @param stateWidth floats that the optimizer keeps of a row, by its width
   * @param above its number is, beside those of all that the model has had
   * @param metrics by split, then task, then metric
   * @throws IOException where it cannot be written
   */
  Exported write(
      Bundle source,
      IntUnaryOperator stateWidth,
      long above,
      Instant created,
      Map<String, Map<String, Map<String, Double>>> metrics)
      throws IOException {
    Manifest manifest = source.manifest();
    RowsView view = new RowsView(manifest.model(), manifest.version(), 0);
    LearnedMark mark = LearnedMark.read(store, view).orElseThrow();
    LearnedRows rows = new LearnedRows(store, view, source, stateWidth);
    LearnedExport.Written written =
        LearnedExport.write(
            bundles.root(),
            source,
            above,
            new LearnedExport.Learned(
                DenseState.read(store, view), mark.steps(), rows, rows::byKey),
            new LearnedExport.About(
                metrics,
                provenance(manifest, mark, Join.place(store, manifest.model())),
                created,
                GoldenExamples.of(manifest.golden(), source.encoder())),
            bundles.trust().signer());
    return new Exported(
        written.version(),
        manifest.version(),
        mark.epoch(),
        mark.dense(),
        written.manifestSha256());
  }

  /** Up to where in a log a bundle has learned what it holds; nowhere, where it does not say so. */
  static LogPlace place(Manifest manifest) {
    Map<String, String> versions = manifest.provenance().versions();
    try {
      return new LogPlace(
          Long.parseLong(versions.getOrDefault(LOG_POSITION, "0")),
          Long.parseLong(versions.getOrDefault(LOG_TIME, "0")));
    } catch (NumberFormatException e) {
      return LogPlace.NONE; // Others may say of their bundles what they like.
    }
  }

  private static Provenance provenance(Manifest manifest, LearnedMark mark, LogPlace place) {
    Provenance before = manifest.provenance();
    Map<String, String> versions = new HashMap<>(before.versions());
    versions.put("learned-from-version", Long.toString(manifest.version()));
    versions.put("learned-epoch", Long.toString(mark.epoch()));
    versions.put("learned-dense", Long.toString(mark.dense()));
    versions.put("learned-examples", Long.toString(mark.examples()));
    versions.put(LOG_POSITION, Long.toString(place.next()));
    versions.put(LOG_TIME, Long.toString(place.lastMs()));
    return new Provenance(
        before.seed(),
        before.dataFiles(),
        before.rows() + mark.examples(),
        before.command(),
        versions);
  }
}
