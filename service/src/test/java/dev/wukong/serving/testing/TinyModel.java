package dev.wukong.serving.testing;

import dev.wukong.bundle.BundleWriter;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.bundle.ManifestDraft;
import dev.wukong.bundle.Network;
import dev.wukong.bundle.Optimizers;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.Provenance;
import dev.wukong.bundle.ReducedGraph;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Feature;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.data.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * A model of every kind of feature whose answers can be computed by hand: a row's elements follow
 * from its table and id, the logit is their sum. {@link #logit} computes it from raw values with
 * none of the code under test but the hash.
 */
public final class TinyModel {
  /** Users with an id of their own: 100 to 149, so that 100 has the id 2. */
  public static final int USERS = 50;

  /** Items with a row of their own: 1 to 200. */
  public static final int ITEMS = 200;

  private static final List<String> TAGS = List.of("red", "green", "blue", "größe", "日本");
  private static final float[] SCALE = {1, -0.5f};
  private static final float[] ITEM_DEFAULT = {0.25f, -0.5f};
  private static final float[] WIDE_DEFAULT = {0.125f};

  private final double seed;
  private final boolean rounded;
  private final long brokenItem;

  /** A model whose answers differ from those of every other seed. */
  public TinyModel(int seed) {
    this(seed, false, -1);
  }

  private TinyModel(double seed, boolean rounded, long brokenItem) {
    this.seed = seed;
    this.rounded = rounded;
    this.brokenItem = brokenItem;
  }

  /** The same model with a row of {@code item} so large that its logits are infinite. */
  public TinyModel withBrokenItem(long item) {
    return new TinyModel(seed, rounded, item);
  }

  /** The same model with its rows rounded to half precision, as its graph for that sees them. */
  public TinyModel rounded() {
    return new TinyModel(seed, true, brokenItem);
  }

  /**
   * The features: context {@code user}, {@code age}; candidate {@code item}, {@code tags}, {@code
   * price}, {@code picture}.
   */
  public static Schema schema() {
    Optional<String> none = Optional.empty();
    List<Feature> features =
        List.of(
            new IdFeature(
                "user",
                Scope.CONTEXT,
                "user",
                ValueType.INT64,
                new IdMapping.Vocabulary(1),
                "user",
                1,
                Pooling.SUM,
                none),
            new NumberFeature("age", Scope.CONTEXT, "age", 1, Transform.NONE, true),
            new IdFeature(
                "item",
                Scope.CANDIDATE,
                "item",
                ValueType.INT64,
                new IdMapping.Hash(0),
                "item",
                1,
                Pooling.SUM,
                none),
            new IdFeature(
                "tags",
                Scope.CANDIDATE,
                "tags",
                ValueType.STRING,
                new IdMapping.Vocabulary(1),
                "tags",
                3,
                Pooling.SUM,
                Optional.of("tag_weights")),
            new IdFeature(
                "price",
                Scope.CANDIDATE,
                "price",
                ValueType.INT64,
                new IdMapping.Buckets(List.of(1.0, 10.0)),
                "price",
                1,
                Pooling.SUM,
                none),
            new NumberFeature("picture", Scope.CANDIDATE, "picture", 2, Transform.NONE, false));
    List<Task> tasks =
        List.of(new Task("click", "click", none(), none), new Task("buy", "buy", none(), none));
    return new Schema("tiny", features, tasks);
  }

  private static Optional<Double> none() {
    return Optional.empty();
  }

  private static Map<String, List<Integer>> widths() {
    return Map.of(
        "user", List.of(2), "item", List.of(2, 1), "tags", List.of(2), "price", List.of(1));
  }

  private static Map<String, List<String>> vocabularies() {
    List<String> users = new ArrayList<>();
    for (int user = 0; user < USERS; user++) {
      users.add(Integer.toString(100 + user));
    }
    return Map.of("user", users, "tags", TAGS);
  }

  private static FeatureEncoder encoder() {
    Map<String, Vocabulary> built = new HashMap<>();
    vocabularies()
        .forEach(
            (space, values) ->
                built.put(space, Vocabulary.of(schema().ofSpace(space).type(), values)));
    return new FeatureEncoder(schema(), built);
  }

  /** Writes the bundle {@code <root>/<model>/<version>}. */
  public Path write(Path root, String model, long version) throws IOException {
    return write(root, model, version, 0);
  }

  /** The same with golden rows that are wrong by {@code error}. */
  public Path write(Path root, String model, long version, float error) throws IOException {
    return write(root, model, version, error, Optional.empty());
  }

  /** The bundle with a graph in half precision, which may be wrong by {@code tolerance}. */
  public Path writeWithHalf(Path root, String model, long version, double tolerance)
      throws IOException {
    Map<String, Map<String, Double>> unknown = Map.of("click", Map.of(), "buy", Map.of());
    return write(
        root,
        model,
        version,
        0,
        Optional.of(
            new ReducedGraph(
                tolerance, 0, new ReducedGraph.Measured("none", 1, 0, unknown, unknown))));
  }

  private Path write(
      Path root, String model, long version, float error, Optional<ReducedGraph> half)
      throws IOException {
    InputLayout layout = InputLayout.of(schema(), widths());
    try (BundleWriter writer = BundleWriter.create(root, model, version)) {
      writer.file("predict.onnx", TinyGraph.of(layout, SCALE));
      if (half.isPresent()) {
        writer.file(Precision.FP16.file(), TinyGraph.half(layout, SCALE));
      }
      writer.file("train.onnx", TinyGraph.of(layout, SCALE));
      writer.vocabularies(vocabularies());
      for (Table table : layout.tables()) {
        writeRows(writer, table);
      }
      JsonNodeFactory json = JsonNodeFactory.instance;
      return writer.finish(
          new ManifestDraft(
              Instant.parse("2026-01-01T00:00:00Z"),
              schema(),
              widths(),
              new Network("tiny", json.objectNode()),
              TinyGraph.OPSET,
              new Optimizers(json.objectNode(), json.objectNode()),
              new Provenance(1, List.of("none"), 1, "by hand", Map.of()),
              Map.of(),
              Map.of(
                  "user",
                  new float[2],
                  "item",
                  ITEM_DEFAULT,
                  "item.2",
                  WIDE_DEFAULT,
                  "tags",
                  new float[2],
                  "price",
                  new float[1]),
              golden(error),
              half.map(graph -> Map.of(Precision.FP16, graph)).orElse(Map.of())));
    }
  }

  private void writeRows(BundleWriter writer, Table table) throws IOException {
    long broken = brokenItem < 0 ? -1 : encoder().idOf(schema().ofSpace("item"), brokenItem);
    long[] ids =
        switch (table.idSpace()) {
          case "user" -> range(USERS + 2);
          case "tags" -> range(TAGS.size() + 2);
          case "price" -> range(5);
          default -> itemIds();
        };
    float[] rows = new float[ids.length * table.width()];
    for (int i = 0; i < ids.length; i++) {
      for (int j = 0; j < table.width(); j++) {
        rows[i * table.width() + j] =
            table.name().equals("item") && ids[i] == broken
                ? Float.MAX_VALUE
                : element(table.name(), ids[i], j);
      }
    }
    writer.rows(table, ids, rows);
  }

  private static long[] range(int count) {
    long[] ids = new long[count];
    for (int i = 0; i < count; i++) {
      ids[i] = i;
    }
    return ids;
  }

  private static long[] itemIds() {
    FeatureEncoder encoder = encoder();
    IdFeature item = schema().ofSpace("item");
    TreeMap<Long, Long> ids = new TreeMap<>();
    for (long value = 1; value <= ITEMS; value++) {
      ids.put(encoder.idOf(item, value), value);
    }
    ids.put(RowKey.UNSEEN, 0L);
    ids.put(RowKey.MISSING, 0L);
    return ids.keySet().stream().mapToLong(Long::longValue).toArray();
  }

  /** Element {@code j} of a row: small, and different for every table, id and seed. */
  private float element(String table, long id, int j) {
    float element = (float) (0.3 * Math.sin(seed + table.hashCode() % 97 + id % 1009 + 0.7 * j));
    return rounded ? Float.float16ToFloat(Float.floatToFloat16(element)) : element;
  }

  private double sum(String table, long id, int width) {
    double sum = 0;
    for (int j = 0; j < width; j++) {
      sum += element(table, id, j);
    }
    return sum;
  }

  private GoldenRows golden(float error) {
    EncodedRows context = new EncodedRows(1, new long[] {2}, new float[0], new float[] {0.5f, 1});
    EncodedRows candidate =
        new EncodedRows(
            2,
            new long[] {
              RowKey.UNSEEN,
              2,
              3,
              RowKey.NONE,
              3,
              RowKey.MISSING,
              RowKey.NONE,
              RowKey.NONE,
              RowKey.NONE,
              4
            },
            new float[] {1, 2, 0.5f, 0, 1, 1, 0, 0, 0, 1},
            new float[] {0.1f, 0.2f, 0.3f, 0.4f});
    double user = sum("user", 2, 2) + 0.5 + 1;
    double first =
        user
            + sum("item", 0, 2)
            + sum("item.2", 0, 1)
            + 2 * sum("tags", 2, 2)
            + 0.5 * sum("tags", 3, 2)
            + sum("price", 3, 1)
            + 0.1f
            + 0.2f;
    double second =
        user + sum("item", 1, 2) + sum("item.2", 1, 1) + sum("price", 4, 1) + 0.3f + 0.4f;
    float[] probabilities = {
      probability(first, 0) + error,
      probability(first, 1),
      probability(second, 0),
      probability(second, 1)
    };
    return new GoldenRows(context, candidate, new int[] {0, 0}, probabilities, 1e-5);
  }

  /** The probability of task {@code task} for a logit before scaling. */
  public static float probability(double logit, int task) {
    return (float) (1 / (1 + Math.exp(-logit * SCALE[task])));
  }

  /** The logit before scaling, from raw values by column, as they go into the client. */
  public double logit(Map<String, ?> context, Map<String, ?> candidate) {
    double logit = 0;
    Object user = context.get("user");
    long place = user == null ? -1 : ((Number) user).longValue() - 100;
    boolean known = place >= 0 && place < USERS;
    logit +=
        sum(
            "user",
            user == null ? RowKey.MISSING : known ? RowKey.FIRST + place : RowKey.UNSEEN,
            2);
    Object age = context.get("age");
    logit += age == null ? 0 : ((Number) age).floatValue() + 1;
    Object item = candidate.get("item");
    if (item == null) {
      logit += sum("item", RowKey.MISSING, 2) + sum("item.2", RowKey.MISSING, 1);
    } else if (hasRow(item)) {
      long id = encoder().idOf(schema().ofSpace("item"), ((Number) item).longValue());
      logit += sum("item", id, 2) + sum("item.2", id, 1);
    } else {
      logit += ITEM_DEFAULT[0] + ITEM_DEFAULT[1] + WIDE_DEFAULT[0];
    }
    logit += tags(candidate.get("tags"), candidate.get("tag_weights"));
    Object price = candidate.get("price");
    double bucket =
        price == null
            ? RowKey.MISSING
            : 2 + (number(price) >= 1 ? 1 : 0) + (number(price) >= 10 ? 1 : 0);
    logit += sum("price", (long) bucket, 1);
    if (candidate.get("picture") instanceof List<?> picture) {
      for (Object element : picture) {
        logit += ((Number) element).floatValue();
      }
    }
    return logit;
  }

  private static boolean hasRow(Object item) {
    long value = ((Number) item).longValue();
    return value >= 1 && value <= ITEMS;
  }

  private static double number(Object value) {
    return ((Number) value).doubleValue();
  }

  private double tags(@Nullable Object tags, @Nullable Object weights) {
    if (!(tags instanceof List<?> names) || !(weights instanceof List<?> factors)) {
      return 0;
    }
    double sum = 0;
    for (int i = Math.max(0, names.size() - 3); i < names.size(); i++) {
      int at = TAGS.indexOf(names.get(i));
      sum +=
          ((Number) factors.get(i)).floatValue()
              * sum("tags", at < 0 ? RowKey.UNSEEN : at + RowKey.FIRST, 2);
    }
    return sum;
  }
}
