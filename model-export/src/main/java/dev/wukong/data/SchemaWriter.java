package dev.wukong.data;

import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a {@link Schema} as the tree that {@link SchemaReader} reads; what is the default is left
 * out.
 */
final class SchemaWriter {
  private SchemaWriter() {}

  static ObjectNode write(Schema schema) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("name", schema.name());
    ArrayNode features = root.putArray("features");
    for (Feature feature : schema.features()) {
      features.add(feature(feature));
    }
    ArrayNode tasks = root.putArray("tasks");
    for (Task task : schema.tasks()) {
      ObjectNode node = tasks.addObject();
      node.put("name", task.name());
      if (!task.column().equals(task.name())) {
        node.put("column", task.column());
      }
      task.threshold().ifPresent(t -> node.put("threshold", t));
      task.weightColumn().ifPresent(w -> node.put("weights", w));
    }
    return root;
  }

  static ObjectNode feature(Feature feature) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("name", feature.name());
    switch (feature) {
      case IdFeature ids -> ids(node, ids);
      case NumberFeature number -> number(node, number);
    }
    return node;
  }

  private static void common(ObjectNode node, Feature feature, String type) {
    node.put("type", type);
    node.put("scope", lower(feature.scope()));
    if (!feature.column().equals(feature.name())) {
      node.put("column", feature.column());
    }
  }

  private static void ids(ObjectNode node, IdFeature feature) {
    common(node, feature, feature.bucketed() ? "number" : lower(feature.type()));
    switch (feature.mapping()) {
      case IdMapping.Vocabulary vocabulary -> {
        node.put("ids", "vocabulary");
        if (vocabulary.minCount() > 1) {
          node.put("min_count", vocabulary.minCount());
        }
      }
      case IdMapping.Hash hash -> {
        node.put("ids", "hash");
        if (hash.buckets() > 0) {
          node.put("buckets", hash.buckets());
        }
      }
      case IdMapping.Buckets buckets -> {
        node.put("ids", "buckets");
        ArrayNode boundaries = node.putArray("boundaries");
        buckets.boundaries().forEach(boundaries::add);
      }
    }
    if (!feature.idSpace().equals(feature.name())) {
      node.put("shares", feature.idSpace());
    }
    if (feature.multiValued()) {
      node.put("max_ids", feature.maxIds());
    }
    if (feature.multiValued() || feature.pooling() != Pooling.MEAN) {
      node.put("pooling", lower(feature.pooling()));
    }
    feature.weightColumn().ifPresent(w -> node.put("weights", w));
    if (!feature.separator().equals(IdFeature.SEPARATOR)) {
      node.put("separator", feature.separator());
    }
  }

  private static void number(ObjectNode node, NumberFeature feature) {
    common(node, feature, "number");
    if (feature.width() > 1) {
      node.put("width", feature.width());
    }
    if (feature.transform() != Transform.NONE) {
      node.put("transform", lower(feature.transform()));
    }
    if (feature.optional()) {
      node.put("optional", true);
    }
    if (!feature.separator().equals(IdFeature.SEPARATOR)) {
      node.put("separator", feature.separator());
    }
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
