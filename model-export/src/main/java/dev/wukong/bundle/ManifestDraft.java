package dev.wukong.bundle;

import dev.wukong.data.InputLayout;
import dev.wukong.data.Schema;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * What training knows of a bundle; {@link BundleWriter#finish} adds the rest of its {@link
 * Manifest}, where each field is explained. All numbers must be finite: a metric that is not
 * defined is left out.
 */
public record ManifestDraft(
    Instant created,
    Schema schema,
    Map<String, List<Integer>> widths,
    Network network,
    int opset,
    Optimizers optimizers,
    Provenance provenance,
    Map<String, Map<String, Map<String, Double>>> metrics,
    Map<String, float[]> defaultRows,
    GoldenRows golden,
    Map<Precision, ReducedGraph> precisions) {

  /** How encoded features become the graphs' inputs. */
  public InputLayout layout() {
    return InputLayout.of(schema, widths);
  }

  Manifest manifest(String model, long version, List<TableRows> tables, List<FileEntry> files) {
    return new Manifest(
        model,
        version,
        created,
        schema,
        widths,
        tables,
        network,
        opset,
        optimizers,
        provenance,
        metrics,
        defaultRows,
        golden,
        precisions,
        files);
  }
}
