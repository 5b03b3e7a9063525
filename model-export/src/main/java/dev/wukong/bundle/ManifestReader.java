package dev.wukong.bundle;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Reads a manifest strictly: nothing missing, nothing unknown, nothing that contradicts the schema.
 */
final class ManifestReader {
  static final int MAX_BYTES = 64 << 20;
  private static final int MAX_FILES = 100_000;
  private static final int MAX_TABLES = 1 << 15;
  private static final int MAX_WIDTH = 65_536;
  private static final int MAX_ROWS = 65_536;
  private static final int MAX_NUMBERS = Json.MAX_TOKENS;
  private static final int MAX_WIDTHS = 1 << 20;
  private static final int MAX_OPSET = 1_000;

  private final Schema schema;
  private final InputLayout layout;

  private ManifestReader(Schema schema, InputLayout layout) {
    this.schema = schema;
    this.layout = layout;
  }

  /**
   * The manifest in {@code json}.
   *
   * @throws BundleException naming the field, what it holds and what is allowed
   */
  static Manifest read(byte[] json) throws BundleException {
    if (json.length == 0) {
      throw new BundleException("the file is empty");
    }
    StrictFields fields = StrictFields.of("", Json.tree(Json.MAPPER, json));
    long format = fields.integer("format", 0, Integer.MAX_VALUE);
    if (format != Manifest.FORMAT) {
      throw new BundleException(
          "field 'format' is %d, this version reads %d".formatted(format, Manifest.FORMAT));
    }
    Schema schema = SchemaJson.read(fields.object("schema"));
    Map<String, List<Integer>> widths = widths(fields.object("widths"), schema);
    InputLayout layout;
    try {
      layout = InputLayout.of(schema, widths);
    } catch (IllegalArgumentException e) {
      throw new BundleException("field 'widths': " + e.getMessage(), e);
    }
    return new ManifestReader(schema, layout).rest(fields, widths);
  }

  private Manifest rest(StrictFields fields, Map<String, List<Integer>> widths)
      throws BundleException {
    String model = fields.string("model");
    BundleNames.checkModel(model);
    List<TableRows> tables = tables(fields);
    checkGroups(fields);
    StrictFields network = fields.object("network");
    StrictFields optimizers = fields.object("optimizers");
    List<FileEntry> files = files(fields);
    Map<Precision, ReducedGraph> precisions =
        fields.has("precisions")
            ? PrecisionsJson.read(fields.object("precisions"), schema, files)
            : Map.of(); // Older bundles have single precision only.
    PrecisionsJson.checkComplete(precisions, files);
    Manifest manifest =
        new Manifest(
            model,
            fields.integer("version", 1, BundleNames.MAX_VERSION),
            created(fields.string("created")),
            schema,
            widths,
            tables,
            new Network(network.string("name"), freeObject(network, "hyperparameters")),
            (int) fields.integer("opset", 1, MAX_OPSET),
            new Optimizers(freeObject(optimizers, "dense"), freeObject(optimizers, "rows")),
            provenance(fields.object("provenance")),
            metrics(fields.object("metrics")),
            defaultRows(fields.object("defaultRows")),
            golden(fields.object("golden")),
            precisions,
            files);
    network.end();
    optimizers.end();
    fields.end();
    return manifest;
  }

  private static Instant created(String text) throws BundleException {
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new BundleException("field 'created' is not an instant in ISO 8601", e);
    }
  }

  private static JsonNode freeObject(StrictFields fields, String name) throws BundleException {
    fields.object(name);
    return fields.json(name);
  }

  private static Map<String, List<Integer>> widths(StrictFields fields, Schema schema)
      throws BundleException {
    Set<String> known = new HashSet<>();
    for (Scope scope : Scope.values()) {
      schema.ids(scope).forEach(f -> known.add(f.name()));
    }
    Map<String, List<Integer>> widths = new LinkedHashMap<>();
    int all = 0;
    for (String feature : fields.names()) {
      if (!known.contains(feature)) {
        throw new BundleException(
            "field 'widths.%s' is not an id feature of the schema".formatted(feature));
      }
      long[] own = fields.longs(feature, 0, MAX_TABLES, 0, MAX_WIDTH);
      all += own.length;
      if (all > MAX_WIDTHS) {
        throw new BundleException(
            "field 'widths' has more than %d widths in all".formatted(MAX_WIDTHS));
      }
      widths.put(feature, Arrays.stream(own).mapToObj(Math::toIntExact).toList());
    }
    return widths;
  }

  private List<TableRows> tables(StrictFields fields) throws BundleException {
    List<TableRows> tables = new ArrayList<>();
    for (StrictFields table : fields.objects("tables", MAX_TABLES)) {
      tables.add(
          new TableRows(
              new Table(
                  (int) table.integer("ordinal", 0, MAX_TABLES - 1),
                  table.string("name"),
                  table.string("idSpace"),
                  (int) table.integer("width", 1, MAX_WIDTH)),
              table.integer("rows", 0, RowKey.ID_LIMIT)));
      table.end();
    }
    List<Table> named = tables.stream().map(TableRows::table).toList();
    if (!named.equals(layout.tables())) {
      throw new BundleException(
          "field 'tables' does not follow from the schema and the widths: found %s, expected %s"
              .formatted(names(named), names(layout.tables())));
    }
    return tables;
  }

  private static List<String> names(List<Table> tables) {
    return tables.stream().limit(50).map(t -> t.name() + ":" + t.width()).toList();
  }

  private void checkGroups(StrictFields fields) throws BundleException {
    List<String> found = new ArrayList<>();
    for (StrictFields group : fields.objects("groups", MAX_TABLES)) {
      found.add(
          group.string("name")
              + ":"
              + group.integer("width", 1, MAX_WIDTH)
              + group.strings("tables", MAX_TABLES));
      group.end();
    }
    List<String> expected = layout.groups().stream().map(ManifestReader::describe).toList();
    if (!found.equals(expected)) {
      throw new BundleException(
          "field 'groups' does not follow from the schema and the widths: found %s, expected %s"
              .formatted(found.stream().limit(50).toList(), expected.stream().limit(50).toList()));
    }
  }

  private static String describe(Group group) {
    return group.name() + ":" + group.width() + group.tables().stream().map(Table::name).toList();
  }

  private static Provenance provenance(StrictFields fields) throws BundleException {
    Provenance provenance =
        new Provenance(
            fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE),
            fields.strings("dataFiles", MAX_FILES),
            fields.integer("rows", 0, Long.MAX_VALUE),
            fields.string("command"),
            fields.stringMap("versions"));
    fields.end();
    return provenance;
  }

  private static Map<String, Map<String, Map<String, Double>>> metrics(StrictFields fields)
      throws BundleException {
    Map<String, Map<String, Map<String, Double>>> metrics = new LinkedHashMap<>();
    for (String split : fields.names()) {
      StrictFields tasks = fields.object(split);
      Map<String, Map<String, Double>> ofSplit = new LinkedHashMap<>();
      for (String task : tasks.names()) {
        StrictFields values = tasks.object(task);
        Map<String, Double> ofTask = new LinkedHashMap<>();
        for (String metric : values.names()) {
          ofTask.put(metric, values.number(metric));
        }
        ofSplit.put(task, ofTask);
      }
      metrics.put(split, ofSplit);
    }
    return metrics;
  }

  private Map<String, float[]> defaultRows(StrictFields fields) throws BundleException {
    Map<String, float[]> rows = new LinkedHashMap<>();
    for (Table table : layout.tables()) {
      rows.put(table.name(), fields.floats(table.name(), table.width(), table.width()));
    }
    fields.end();
    return rows;
  }

  private GoldenRows golden(StrictFields fields) throws BundleException {
    EncodedRows context = rows(fields.object("context"), Scope.CONTEXT, 0);
    // Without a row there would be nothing to prove the graph and its rows by.
    EncodedRows candidate = rows(fields.object("candidate"), Scope.CANDIDATE, 1);
    int expected = schema.hasContext() ? candidate.rows() : 0;
    long[] contextOf =
        fields.longs("contextOf", expected, expected, 0, Math.max(0, context.rows() - 1));
    if (expected > 0 && context.rows() == 0) {
      throw new BundleException("field 'golden.context.rows' is 0, but candidates refer to it");
    }
    int probabilities = Math.multiplyExact(candidate.rows(), schema.tasks().size());
    double tolerance = fields.number("tolerance");
    if (tolerance < 0 || tolerance > 0.1) {
      throw new BundleException(
          "field 'golden.tolerance' is %s, expected 0 to 0.1".formatted(tolerance));
    }
    GoldenRows golden =
        new GoldenRows(
            context,
            candidate,
            Arrays.stream(contextOf).mapToInt(Math::toIntExact).toArray(),
            fields.floats("probabilities", probabilities, probabilities),
            tolerance);
    fields.end();
    return golden;
  }

  private EncodedRows rows(StrictFields fields, Scope scope, int least) throws BundleException {
    int rows = (int) fields.integer("rows", least, MAX_ROWS);
    int ids = size(rows, layout.positions(scope), fields);
    boolean weighted = schema.ids(scope).stream().anyMatch(f -> f.weighted());
    int weights = weighted ? ids : 0;
    int dense = size(rows, layout.denseWidth(scope), fields);
    EncodedRows encoded =
        new EncodedRows(
            rows,
            fields.longs("ids", ids, ids, RowKey.NONE, RowKey.ID_LIMIT - 1),
            fields.floats("weights", weights, weights),
            fields.floats("dense", dense, dense));
    fields.end();
    return encoded;
  }

  private static int size(int rows, int width, StrictFields fields) throws BundleException {
    long size = (long) rows * width;
    if (size > MAX_NUMBERS) {
      throw new BundleException(
          "field '%s' has %d values, at most %d are allowed"
              .formatted(fields.path(), size, MAX_NUMBERS));
    }
    return (int) size;
  }

  private static List<FileEntry> files(StrictFields fields) throws BundleException {
    List<FileEntry> files = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (StrictFields file : fields.objects("files", MAX_FILES)) {
      FileEntry entry =
          new FileEntry(
              file.string("name"), file.integer("size", 0, Long.MAX_VALUE), file.string("sha256"));
      file.end();
      BundleNames.checkFile(entry.name());
      if (!names.add(entry.name())) {
        throw new BundleException("field 'files' names '%s' twice".formatted(entry.name()));
      }
      if (!BundleNames.isSha256(entry.sha256())) {
        throw new BundleException(
            "field '%s.sha256' is not 64 lower-case hexadecimal digits".formatted(file.path()));
      }
      files.add(entry);
    }
    return files;
  }
}
