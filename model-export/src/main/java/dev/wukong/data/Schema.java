package dev.wukong.data;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The features of a data set in their fixed order, and the tasks. Names are unique; features of one
 * id space map values alike.
 */
public record Schema(String name, List<Feature> features, List<Task> tasks) {
  /** The most features a schema may have. */
  public static final int MAX_FEATURES = 4096;

  /** The most ids that all features of a scope together may have in one row. */
  public static final int MAX_POSITIONS = 65_536;

  public Schema {
    features = List.copyOf(features);
    tasks = List.copyOf(tasks);
    Names.check("schema", name);
    if (features.isEmpty() || features.size() > MAX_FEATURES) {
      throw new DataException(
          "schema '%s' has %d features; 1 to %d are allowed"
              .formatted(name, features.size(), MAX_FEATURES));
    }
    for (Scope scope : Scope.values()) {
      int positions =
          features.stream()
              .mapToInt(f -> f instanceof IdFeature i && i.scope() == scope ? i.maxIds() : 0)
              .sum();
      if (positions > MAX_POSITIONS) {
        throw new DataException(
            "schema '%s' has %d id positions in scope %s; up to %d are allowed"
                .formatted(name, positions, scope, MAX_POSITIONS));
      }
    }
    Set<String> names = new HashSet<>();
    Map<String, IdFeature> spaces = new HashMap<>();
    for (Feature feature : features) {
      if (!names.add(feature.name())) {
        throw new DataException(
            "schema '%s' has two features named '%s'; each needs a name of its own"
                .formatted(name, feature.name()));
      }
      if (feature instanceof IdFeature ids) {
        IdFeature first = spaces.putIfAbsent(ids.idSpace(), ids);
        if (first != null
            && (!first.mapping().equals(ids.mapping()) || first.type() != ids.type())) {
          throw new DataException(
              "features '%s' and '%s' share the id space '%s' but map values differently; they need the same type and ids"
                  .formatted(first.name(), ids.name(), ids.idSpace()));
        }
      }
    }
    Set<String> taskNames = new HashSet<>();
    for (Task task : tasks) {
      if (!taskNames.add(task.name())) {
        throw new DataException(
            "schema '%s' has two tasks named '%s'; each needs a name of its own"
                .formatted(name, task.name()));
      }
    }
  }

  /**
   * Id features of {@code scope}, in schema order. Each takes {@link IdFeature#maxIds} positions of
   * an {@link EncodedRows}.
   */
  public List<IdFeature> ids(Scope scope) {
    return features.stream()
        .filter(f -> f.scope() == scope && f instanceof IdFeature)
        .map(IdFeature.class::cast)
        .toList();
  }

  /** Whether it has context features; requests have a context only then. */
  public boolean hasContext() {
    return features.stream().anyMatch(f -> f.scope() == Scope.CONTEXT);
  }

  /** Number features of {@code scope}, in schema order. */
  public List<NumberFeature> numbers(Scope scope) {
    return features.stream()
        .filter(f -> f.scope() == scope && f instanceof NumberFeature)
        .map(NumberFeature.class::cast)
        .toList();
  }

  /**
   * The schema that {@link #toJson} wrote, or one in the same form written by hand.
   *
   * @param source what {@code node} was read from, for messages
   * @throws DataException if it is not one; the message names the path, the value and what is
   *     allowed
   */
  public static Schema fromJson(JsonNode node, String source) {
    return SchemaReader.read(node, source);
  }

  /** The schema as a tree, with what is not the default. */
  public ObjectNode toJson() {
    return SchemaWriter.write(this);
  }

  /** The first feature of {@code idSpace}: it says how the space's values map. */
  public IdFeature ofSpace(String idSpace) {
    for (Feature feature : features) {
      if (feature instanceof IdFeature ids && ids.idSpace().equals(idSpace)) {
        return ids;
      }
    }
    throw new IllegalArgumentException("schema '%s' has no id space '%s'".formatted(name, idSpace));
  }

  /**
   * 64 hexadecimal digits (SHA-256) that fix how requests are packed: every feature's name, scope,
   * kind and number of values, in order. Tasks, file columns and pooling have no part in it.
   */
  public String id() {
    StringBuilder text = new StringBuilder("wukong-schema-1\n");
    for (Feature feature : features) {
      text.append(feature.scope()).append(' ').append(feature.name());
      switch (feature) {
        case IdFeature ids ->
            text.append(ids.bucketed() ? " BUCKETS" : " " + ids.type())
                .append(" max_ids ")
                .append(ids.maxIds())
                .append(ids.weighted() ? " weighted" : "");
        case NumberFeature number ->
            text.append(" NUMBER width ")
                .append(number.width())
                .append(number.optional() ? " optional" : "");
      }
      text.append('\n');
    }
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
