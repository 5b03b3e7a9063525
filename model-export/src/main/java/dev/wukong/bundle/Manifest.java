package dev.wukong.bundle;

import dev.wukong.data.InputLayout;
import dev.wukong.data.Schema;
import dev.wukong.data.Table;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The contents of {@code manifest.json}: what a bundle is, and the sha256 and size of every other
 * file in it.
 *
 * @param model the model's name, which is its folder's name
 * @param version a growing integer, from 1
 * @param widths by feature name: the widths of its embeddings in order, what the layout follows
 *     from
 * @param tables by ordinal
 * @param opset the version of the ONNX operators in the graphs
 * @param metrics by split, then task, then metric
 * @param defaultRows by table name: the row of ids that have none
 * @param precisions the predict graphs of lower precision, none in older bundles
 */
public record Manifest(
    String model,
    long version,
    Instant created,
    Schema schema,
    Map<String, List<Integer>> widths,
    List<TableRows> tables,
    Network network,
    int opset,
    Optimizers optimizers,
    Provenance provenance,
    Map<String, Map<String, Map<String, Double>>> metrics,
    Map<String, float[]> defaultRows,
    GoldenRows golden,
    Map<Precision, ReducedGraph> precisions,
    List<FileEntry> files) {
  /** The version of the format itself; no other is read. */
  public static final int FORMAT = 1;

  public static final String FILE = "manifest.json";

  public Manifest {
    widths = Map.copyOf(widths);
    tables = List.copyOf(tables);
    metrics = Map.copyOf(metrics);
    defaultRows = Map.copyOf(defaultRows);
    precisions = Map.copyOf(precisions);
    files = List.copyOf(files);
  }

  /** The same of another model and version. */
  Manifest under(String other, long number, List<FileEntry> entries) {
    return new Manifest(
        other,
        number,
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
        entries);
  }

  /** How encoded features become the graphs' inputs. */
  public InputLayout layout() {
    return InputLayout.of(schema, widths);
  }

  /**
   * The largest difference that the golden rows' probabilities may have by the graph of {@code
   * precision}; empty where the bundle has no such graph.
   */
  public OptionalDouble tolerance(Precision precision) {
    if (precision == Precision.FP32) {
      return OptionalDouble.of(golden.tolerance());
    }
    ReducedGraph graph = precisions.get(precision);
    return graph == null ? OptionalDouble.empty() : OptionalDouble.of(graph.tolerance());
  }

  /** The entry of the file {@code name}, if the bundle has it. */
  public Optional<FileEntry> file(String name) {
    return files.stream().filter(f -> f.name().equals(name)).findFirst();
  }

  /**
   * A number for how values become ids and numbers: what was encoded by one bundle means the same
   * to another that has the same.
   */
  public long encoding() {
    String vocabularies =
        file(BundleNames.VOCABULARIES).map(FileEntry::sha256).orElse("no vocabularies");
    String of = schema.id() + " " + vocabularies;
    return ByteBuffer.wrap(
            HexFormat.of().parseHex(Sha256.of(of.getBytes(StandardCharsets.US_ASCII))))
        .getLong();
  }

  /** The row that ids of {@code table} without one take: zeros where nothing is said of it. */
  public float[] defaultRow(Table table) {
    return defaultRows.getOrDefault(table.name(), new float[table.width()]);
  }

  /** How many rows all its tables have. */
  public long rows() {
    return tables.stream().mapToLong(TableRows::rows).sum();
  }
}
