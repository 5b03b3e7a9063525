package dev.wukong.bundle;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.Group;
import dev.wukong.data.IdFeature;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import java.util.Arrays;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Writes a manifest as JSON that people can read too. */
final class ManifestJson {
  private ManifestJson() {}

  /**
   * The bytes of {@code manifest.json}. Maps are written in the order of their keys, so equal
   * manifests give equal bytes.
   *
   * @throws BundleException if the schema and the widths do not make a layout
   */
  static byte[] encode(Manifest manifest) throws BundleException {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("format", Manifest.FORMAT);
    root.put("model", manifest.model());
    root.put("version", manifest.version());
    root.put("created", manifest.created().toString());
    SchemaJson.write(manifest.schema(), root.putObject("schema"));
    ObjectNode widths = root.putObject("widths");
    new TreeMap<>(manifest.widths())
        .forEach((feature, own) -> own.forEach(widths.withArray(feature)::add));
    InputLayout layout = layout(manifest);
    writeLayout(manifest, layout, root);
    ObjectNode network = root.putObject("network");
    network.put("name", manifest.network().name());
    network.set("hyperparameters", manifest.network().hyperparameters());
    root.put("opset", manifest.opset());
    ObjectNode optimizers = root.putObject("optimizers");
    optimizers.set("dense", manifest.optimizers().dense());
    optimizers.set("rows", manifest.optimizers().rows());
    writeProvenance(manifest.provenance(), root.putObject("provenance"));
    ObjectNode metrics = root.putObject("metrics");
    new TreeMap<>(manifest.metrics())
        .forEach(
            (split, tasks) -> {
              ObjectNode ofSplit = metrics.putObject(split);
              new TreeMap<>(tasks)
                  .forEach(
                      (task, values) -> {
                        ObjectNode ofTask = ofSplit.putObject(task);
                        new TreeMap<>(values).forEach((name, v) -> ofTask.put(name, v));
                      });
            });
    ObjectNode defaults = root.putObject("defaultRows");
    new TreeMap<>(manifest.defaultRows())
        .forEach((table, row) -> addAll(defaults.putArray(table), row));
    writeGolden(manifest.golden(), layout, root.putObject("golden"));
    if (!manifest.precisions().isEmpty()) {
      PrecisionsJson.write(manifest.precisions(), root.putObject("precisions"));
    }
    ArrayNode files = root.putArray("files");
    for (FileEntry file : manifest.files()) {
      ObjectNode node = files.addObject();
      node.put("name", file.name()).put("size", file.size()).put("sha256", file.sha256());
    }
    return Json.PRETTY.writeValueAsBytes(root);
  }

  private static InputLayout layout(Manifest manifest) throws BundleException {
    try {
      return manifest.layout();
    } catch (IllegalArgumentException e) {
      throw new BundleException("field 'widths': " + e.getMessage(), e);
    }
  }

  private static void writeLayout(Manifest manifest, InputLayout layout, ObjectNode root) {
    ArrayNode tables = root.putArray("tables");
    for (TableRows rows : manifest.tables()) {
      Table table = rows.table();
      tables
          .addObject()
          .put("name", table.name())
          .put("idSpace", table.idSpace())
          .put("width", table.width())
          .put("ordinal", table.ordinal())
          .put("rows", rows.rows());
    }
    ArrayNode groups = root.putArray("groups");
    for (Group group : layout.groups()) {
      ObjectNode node = groups.addObject().put("name", group.name()).put("width", group.width());
      ArrayNode names = node.putArray("tables");
      group.tables().forEach(t -> names.add(t.name()));
    }
  }

  private static void writeProvenance(Provenance provenance, ObjectNode node) {
    node.put("seed", provenance.seed());
    provenance.dataFiles().forEach(node.putArray("dataFiles")::add);
    node.put("rows", provenance.rows());
    node.put("command", provenance.command());
    ObjectNode versions = node.putObject("versions");
    new TreeMap<>(provenance.versions()).forEach(versions::put);
  }

  private static void writeGolden(GoldenRows golden, InputLayout layout, ObjectNode node)
      throws BundleException {
    node.put("tolerance", golden.tolerance());
    writeRows(golden.context(), layout, Scope.CONTEXT, node.putObject("context"));
    writeRows(golden.candidate(), layout, Scope.CANDIDATE, node.putObject("candidate"));
    ArrayNode contextOf = node.putArray("contextOf");
    for (int context : golden.contextOf()) {
      contextOf.add(context);
    }
    addAll(node.putArray("probabilities"), golden.probabilities());
  }

  /** Arrays may be longer than the rows need; what lies beyond is not written. */
  private static void writeRows(EncodedRows rows, InputLayout layout, Scope scope, ObjectNode node)
      throws BundleException {
    int positions = Math.multiplyExact(rows.rows(), layout.positions(scope));
    boolean weighted = layout.schema().ids(scope).stream().anyMatch(IdFeature::weighted);
    int weights = weighted ? positions : 0;
    int dense = Math.multiplyExact(rows.rows(), layout.denseWidth(scope));
    if (rows.ids().length < positions
        || rows.weights().length < weights
        || rows.dense().length < dense) {
      throw new BundleException(
          "golden rows: %d %s rows need %d ids, %d weights and %d numbers, got %d, %d and %d"
              .formatted(
                  rows.rows(),
                  scope,
                  positions,
                  weights,
                  dense,
                  rows.ids().length,
                  rows.weights().length,
                  rows.dense().length));
    }
    node.put("rows", rows.rows());
    ArrayNode ids = node.putArray("ids");
    for (int i = 0; i < positions; i++) {
      ids.add(rows.ids()[i]);
    }
    addAll(node.putArray("weights"), Arrays.copyOf(rows.weights(), weights));
    addAll(node.putArray("dense"), Arrays.copyOf(rows.dense(), dense));
  }

  private static void addAll(ArrayNode to, float[] values) {
    for (float value : values) {
      to.add(value);
    }
  }
}
