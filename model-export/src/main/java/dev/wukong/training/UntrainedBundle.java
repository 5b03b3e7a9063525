package dev.wukong.training;

import ai.onnxruntime.OrtException;
import dev.wukong.bundle.BundleWriter;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.bundle.ManifestDraft;
import dev.wukong.bundle.Network;
import dev.wukong.bundle.Optimizers;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.Provenance;
import dev.wukong.bundle.ReducedGraph;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Hash;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.UniqueRows;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.TensorData;
import dev.wukong.ranker.Mode;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.ranker.RankerInputs;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Bundles of models that nobody trained, for measurements in which only sizes count: dense weights
 * as they start, rows drawn by table and id. They serve like any other.
 */
public final class UntrainedBundle {
  private static final int CHUNK = 1 << 16;
  private static final int GOLDEN = 16;
  private static final double TOLERANCE = 1e-4;

  private final Schema schema;
  private final RankerConfig config;
  private final InputLayout layout;
  private final long rowsPerTable;

  /**
   * Bundles of one model.
   *
   * @param schema int64 id features only, each with a hash of {@code rowsPerTable} buckets
   * @param rowsPerTable rows of each table besides the two reserved ones
   */
  public UntrainedBundle(Schema schema, RankerConfig config, long rowsPerTable) {
    this.schema = schema;
    this.config = config;
    this.layout = config.layout(schema);
    this.rowsPerTable = rowsPerTable;
  }

  /** How encoded features become the graph's inputs. */
  public InputLayout layout() {
    return layout;
  }

  /**
   * Writes {@code <root>/<name>/<version>}: dense weights of the version's own, and the rows of
   * version 1 but for one in a hundred.
   */
  public Path write(Path root, String name, long version) throws IOException {
    return write(root, name, version, false);
  }

  /**
   * The same.
   *
   * @param half whether it has a graph in half precision, too
   */
  public Path write(Path root, String name, long version, boolean half) throws IOException {
    Graph graph = RankerGraphs.predict(config, layout);
    byte[] predict =
        OnnxWriter.write(graph, Lowering.CUDA, weights(version), Map.of("model", name))
            .toByteArray();
    Map<String, float[]> defaults = new HashMap<>();
    try (BundleWriter writer = BundleWriter.create(root, name, version)) {
      writer.file(Precision.FP32.file(), predict);
      GoldenRows golden = golden(predict, Precision.FP32, version);
      Map<Precision, ReducedGraph> reduced = new HashMap<>();
      if (half) {
        byte[] graphOfHalves = halves(name, version);
        writer.file(Precision.FP16.file(), graphOfHalves);
        reduced.put(Precision.FP16, reduced(golden, graphOfHalves, version));
      }
      // Nobody trains it further; a bundle has the file all the same.
      writer.file(BundleExport.TRAIN, predict);
      for (Table table : layout.tables()) {
        writeRows(writer, table, version);
        defaults.put(table.name(), row(table, RowKey.UNSEEN, version));
      }
      JsonNodeFactory json = JsonNodeFactory.instance;
      return writer.finish(
          new ManifestDraft(
              Instant.EPOCH,
              schema,
              config.widths(schema),
              new Network(config.type(), config.toJson()),
              OnnxWriter.OPSET,
              new Optimizers(json.objectNode(), json.objectNode()),
              new Provenance(version, List.of(), 1, "untrained", Map.of()),
              Map.of(),
              defaults,
              golden,
              reduced));
    }
  }

  private Map<String, TensorData> weights(long version) {
    return weights(config, layout, version);
  }

  /** The dense weights of a model as they start, by name. */
  public static Map<String, TensorData> weights(
      RankerConfig config, InputLayout layout, long seed) {
    GraphBuilder builder = new GraphBuilder("weights", DataType.FLOAT);
    var net = new dev.wukong.ranker.Network(builder, Mode.PREDICT);
    builder.output(
        "logits",
        config.logits(net, new RankerInputs(net, layout), layout.schema().tasks().size()));
    Map<String, TensorData> weights = new LinkedHashMap<>();
    SplittableRandom random = new SplittableRandom(seed);
    net.trainable()
        .forEach(
            (tensor, init) ->
                weights.put(
                    tensor.name(),
                    new TensorData.Floats(tensor.shape(), init.values(tensor.shape(), random))));
    return weights;
  }

  private void writeRows(BundleWriter writer, Table table, long version) throws IOException {
    long total = RowKey.FIRST + rowsPerTable;
    for (long from = 0; from < total; from += CHUNK) {
      int count = (int) Math.min(CHUNK, total - from);
      long[] ids = new long[count];
      float[] rows = new float[Math.multiplyExact(count, table.width())];
      for (int i = 0; i < count; i++) {
        ids[i] = from + i;
        System.arraycopy(row(table, ids[i], version), 0, rows, i * table.width(), table.width());
      }
      writer.rows(table, ids, rows);
    }
  }

  private static float[] row(Table table, long id, long version) {
    // One row in a hundred is new in each version, another one each time.
    long of = id % 100 == version % 100 ? version : 1;
    long seed = Hash.of(Hash.of(RowKey.of(table.ordinal(), id)) + of);
    SplittableRandom random = new SplittableRandom(seed);
    float[] row = new float[table.width()];
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) (random.nextDouble() - 0.5);
    }
    return row;
  }

  private byte[] halves(String name, long version) {
    return OnnxWriter.write(
            RankerGraphs.predict(config, layout, DataType.FLOAT16),
            Lowering.CUDA,
            weights(version),
            Map.of("model", name))
        .toByteArray();
  }

  /** What half precision loses on the golden rows; there are no others. */
  private ReducedGraph reduced(GoldenRows golden, byte[] halves, long version) throws IOException {
    float[] found = golden(halves, Precision.FP16, version).probabilities();
    double largest = 0;
    for (int i = 0; i < found.length; i++) {
      largest = Math.max(largest, Math.abs((double) found[i] - golden.probabilities()[i]));
    }
    Map<String, Map<String, Double>> unknown = new HashMap<>();
    schema.tasks().forEach(task -> unknown.put(task.name(), Map.of()));
    return new ReducedGraph(
        ReducedGraph.WIDEST,
        largest,
        new ReducedGraph.Measured("golden", GOLDEN, largest, unknown, unknown));
  }

  private GoldenRows golden(byte[] graph, Precision precision, long version) throws IOException {
    EncodedRows context = drawn(Scope.CONTEXT, 1);
    EncodedRows candidate = drawn(Scope.CANDIDATE, GOLDEN);
    int[] contextOf = new int[context.rows() == 0 ? 0 : GOLDEN];
    Device cpu = new Device.Cpu();
    try (GraphScorer scorer =
        new GraphScorer(precision.on(cpu, graph), layout, precision, cpu, 1)) {
      float[] probabilities =
          scorer.probabilities(new DrawnRows(version), context, candidate, contextOf);
      return new GoldenRows(context, candidate, contextOf, probabilities, TOLERANCE);
    } catch (OrtException e) {
      throw new IOException("the graph does not load: " + e.getMessage(), e);
    }
  }

  private EncodedRows drawn(Scope scope, int rows) {
    int positions = layout.positions(scope);
    long[] ids = new long[positions == 0 ? 0 : rows * positions];
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < ids.length; i++) {
      ids[i] = RowKey.FIRST + random.nextLong(rowsPerTable);
    }
    return new EncodedRows(positions == 0 ? 0 : rows, ids, new float[0], new float[0]);
  }

  /** The rows of the golden examples. */
  private final class DrawnRows implements BatchRows {
    private final UniqueRows unique = new UniqueRows(layout);
    private final long version;

    DrawnRows(long version) {
      this.version = version;
    }

    @Override
    public void slots(Scope scope, int group, EncodedRows rows, int[] out) {
      unique.slots(scope, group, rows, IntBuffer.wrap(out));
    }

    @Override
    public int size(int group) {
      return unique.size(group) + 1;
    }

    @Override
    public FloatBuffer rows(int group) {
      int width = layout.groups().get(group).width();
      FloatBuffer rows =
          ByteBuffer.allocateDirect(size(group) * width * Float.BYTES)
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
      List<Table> tables = layout.tables();
      for (int slot = 1; slot < size(group); slot++) {
        long key = unique.key(group, slot);
        rows.put(slot * width, row(tables.get(RowKey.table(key)), RowKey.id(key), version));
      }
      return rows;
    }
  }
}
