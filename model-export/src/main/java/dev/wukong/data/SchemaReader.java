package dev.wukong.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads a {@link Schema} from a tree: the same form in a YAML file and in a bundle's manifest. */
final class SchemaReader {
  /** How values become ids, as the file says it. */
  private enum Ids {
    VOCABULARY,
    HASH,
    BUCKETS
  }

  /** The raw types, as the file says them. */
  private enum Type {
    INT64,
    STRING,
    NUMBER
  }

  private static final List<String> ID_KEYS =
      List.of(
          "name",
          "type",
          "scope",
          "column",
          "ids",
          "min_count",
          "buckets",
          "boundaries",
          "shares",
          "max_ids",
          "pooling",
          "weights",
          "separator");
  private static final List<String> NUMBER_KEYS =
      List.of("name", "type", "scope", "column", "width", "transform", "optional", "separator");

  private SchemaReader() {}

  static Schema read(JsonNode node, String source) {
    StrictNode root =
        new StrictNode(source, "", node).withKeys(List.of("name", "features", "tasks"));
    List<StrictNode> features = root.children("features");
    List<Feature> read = new ArrayList<>();
    for (StrictNode feature : features) {
      read.add(feature(feature, features));
    }
    List<Task> tasks = new ArrayList<>();
    for (StrictNode task : root.has("tasks") ? root.children("tasks") : List.<StrictNode>of()) {
      tasks.add(task(task.withKeys(List.of("name", "column", "threshold", "weights"))));
    }
    return located(source, () -> new Schema(root.text("name"), read, tasks));
  }

  private interface Made<T> {
    T make();
  }

  /** Names the place in errors of the records themselves. */
  private static <T> T located(String place, Made<T> made) {
    try {
      return made.make();
    } catch (DataException e) {
      if (String.valueOf(e.getMessage()).startsWith(place)) {
        throw e;
      }
      throw new DataException(place + ": " + e.getMessage(), e);
    }
  }

  private static Task task(StrictNode node) {
    String name = node.text("name");
    return located(
        node.source(),
        () ->
            new Task(
                name,
                node.optionalText("column").orElse(name),
                node.optionalNumber("threshold"),
                node.optionalText("weights")));
  }

  private static Feature feature(StrictNode node, List<StrictNode> all) {
    Optional<StrictNode> shared = shared(node, all);
    StrictNode typed = node.node().has("type") ? node : shared.orElse(node);
    if (!typed.has("type")) {
      throw node.bad("type", "is missing", "one of int64, string, number is needed");
    }
    Type type = typed.oneOf("type", Type.values(), Type.STRING);
    StrictNode mapped = shared.isPresent() && !node.has("ids") ? shared.get() : node;
    String name = node.text("name");
    Scope scope = node.oneOf("scope", Scope.values(), Scope.CANDIDATE);
    String column = node.optionalText("column").orElse(name);
    String separator = node.optionalText("separator").orElse(IdFeature.SEPARATOR);
    if (type == Type.NUMBER && !mapped.has("ids")) {
      node.withKeys(NUMBER_KEYS);
      int width = (int) node.integer("width", 1, 1, NumberFeature.MAX_WIDTH);
      Transform transform = node.oneOf("transform", Transform.values(), Transform.NONE);
      return located(
          node.source(),
          () ->
              new NumberFeature(
                  name, scope, column, width, transform, node.flag("optional"), separator));
    }
    node.withKeys(ID_KEYS);
    shared.ifPresent(other -> checkShared(node, other));
    IdMapping mapping = mapping(mapped, type);
    int maxIds = (int) node.integer("max_ids", 1, 1, IdFeature.MAX_IDS);
    Pooling pooling = node.oneOf("pooling", Pooling.values(), Pooling.MEAN);
    ValueType valueType = type == Type.STRING ? ValueType.STRING : ValueType.INT64;
    return located(
        node.source(),
        () ->
            new IdFeature(
                name,
                scope,
                column,
                valueType,
                mapping,
                node.optionalText("shares").orElse(name),
                maxIds,
                pooling,
                node.optionalText("weights"),
                separator));
  }

  /**
   * The feature whose ids {@code node} shares and whose type and mapping it takes over, if it names
   * one.
   */
  private static Optional<StrictNode> shared(StrictNode node, List<StrictNode> all) {
    if (!node.has("shares")) {
      return Optional.empty();
    }
    String space = node.text("shares");
    int sharing = 0;
    for (StrictNode other : all) {
      if (textOf(other, "name").equals(space)) {
        return Optional.of(other);
      }
      sharing += textOf(other, "shares").equals(space) ? 1 : 0;
    }
    if (sharing < 2) {
      throw node.bad(
          "shares", "is '" + space + "'", "the name of a feature with the same ids is needed");
    }
    return Optional.empty();
  }

  /** What a feature takes over from the one whose ids it shares, it does not say otherwise. */
  private static void checkShared(StrictNode node, StrictNode shared) {
    boolean itself = textOf(shared, "name").equals(textOf(node, "name"));
    for (String key : List.of("min_count", "buckets", "boundaries")) {
      if (node.has(key) && !node.has("ids") && !itself) {
        throw node.bad(
            key,
            "has no meaning here",
            "feature '%s', whose ids are shared, says it, or ids is needed"
                .formatted(textOf(shared, "name")));
      }
    }
  }

  private static String textOf(StrictNode node, String key) {
    @Nullable JsonNode value = node.node().get(key);
    return value != null && value.isString() ? value.asString() : "";
  }

  private static IdMapping mapping(StrictNode node, Type type) {
    Ids ids = node.oneOf("ids", Ids.values(), Ids.VOCABULARY);
    only(node, "min_count", ids == Ids.VOCABULARY, "vocabulary");
    only(node, "buckets", ids == Ids.HASH, "hash");
    only(node, "boundaries", ids == Ids.BUCKETS, "buckets");
    if (type == Type.NUMBER && ids != Ids.BUCKETS) {
      throw node.bad(
          "ids", "makes ids of a number", "buckets are needed, or the type int64 or string");
    }
    if (type == Type.STRING && ids == Ids.BUCKETS) {
      throw node.bad("ids", "puts strings into buckets", "the type number or int64 is needed");
    }
    return switch (ids) {
      case VOCABULARY ->
          new IdMapping.Vocabulary((int) node.integer("min_count", 1, 1, Integer.MAX_VALUE));
      case HASH -> new IdMapping.Hash(node.integer("buckets", 0, 0, IdMapping.HASH_SPACE));
      case BUCKETS ->
          located(
              "%s: %s.boundaries".formatted(node.source(), node.path()),
              () -> new IdMapping.Buckets(node.numbers("boundaries")));
    };
  }

  private static void only(StrictNode node, String key, boolean allowed, String ids) {
    if (node.has(key) && !allowed) {
      throw node.bad(key, "has no meaning here", "it is allowed with ids: " + ids);
    }
  }
}
