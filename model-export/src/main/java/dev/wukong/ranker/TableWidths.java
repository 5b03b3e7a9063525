package dev.wukong.ranker;

import dev.wukong.config.ConfigException;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.Schema;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Which tables a model has for each id feature: its embeddings', then the extra ones. Features of
 * one id space share the tables that they use for the same: what only some of them have keeps its
 * place with the others, as width 0.
 */
final class TableWidths {
  private TableWidths() {}

  /**
   * By feature, the widths of its tables; 0 where it leaves a place to a feature of its id space.
   *
   * @throws ConfigException if the configuration names a feature that the schema lacks
   */
  static Map<String, List<Integer>> of(RankerConfig config, Schema schema) {
    EmbeddingConfig embedding = config.embedding();
    List<ExtraTables> extras = config.extras(schema.tasks().size());
    List<String> ids = idFeatures(schema).stream().map(IdFeature::name).toList();
    check("embedding.widths", embedding.widths().keySet(), "id feature", ids, schema);
    List<String> counted =
        embedding.counts().keySet().stream().filter(f -> !f.equals(EmbeddingConfig.EVERY)).toList();
    check("embedding.counts", counted, "id feature", ids, schema);
    List<String> all = schema.features().stream().map(Feature::name).toList();
    for (ExtraTables tables : extras) {
      tables
          .features()
          .ifPresent(features -> check(tables.name(), features, "feature", all, schema));
    }
    Map<String, List<Integer>> result = new LinkedHashMap<>();
    for (String feature : ids) {
      List<String> sharing = sharing(schema, feature);
      int width = width(embedding, feature, sharing);
      List<Integer> own = new ArrayList<>(Collections.nCopies(embedding.count(feature), width));
      own.addAll(Collections.nCopies(embeddings(embedding, sharing) - own.size(), 0));
      for (ExtraTables tables : extras) {
        if (sharing.stream().anyMatch(tables::has)) {
          own.add(tables.has(feature) ? tables.width() : 0);
        }
      }
      while (!own.isEmpty() && own.getLast() == 0) {
        own.removeLast();
      }
      result.put(feature, own);
    }
    return result;
  }

  /** Which of {@code feature}'s tables is one of {@code tables}; empty where it has none there. */
  static OptionalInt place(RankerConfig config, Schema schema, ExtraTables tables, String feature) {
    if (!tables.has(feature)) {
      return OptionalInt.empty();
    }
    List<String> sharing = sharing(schema, feature);
    int place = embeddings(config.embedding(), sharing);
    for (ExtraTables other : config.extras(1)) { // The number of tasks changes widths alone.
      if (other.name().equals(tables.name())) {
        return OptionalInt.of(place);
      }
      place += sharing.stream().anyMatch(other::has) ? 1 : 0;
    }
    throw new IllegalArgumentException("the model has no tables '" + tables.name() + "'");
  }

  /** Tables that an id space has for embeddings. */
  private static int embeddings(EmbeddingConfig embedding, List<String> sharing) {
    return sharing.stream().mapToInt(embedding::count).max().orElseThrow();
  }

  /** The width of a feature's embeddings, which those of its id space have too. */
  private static int width(EmbeddingConfig embedding, String feature, List<String> sharing) {
    int width = embedding.widths().getOrDefault(feature, embedding.width());
    for (String other : sharing) {
      int its = embedding.widths().getOrDefault(other, embedding.width());
      if (its != width) {
        throw new ConfigException(
            "model.embedding.widths gives feature '%s' width %d and feature '%s' width %d, want the same: they share their ids and tables"
                .formatted(feature, width, other, its));
      }
    }
    return width;
  }

  /** The features of {@code feature}'s id space, itself included. */
  private static List<String> sharing(Schema schema, String feature) {
    List<IdFeature> all = idFeatures(schema);
    String space =
        all.stream().filter(f -> f.name().equals(feature)).findFirst().orElseThrow().idSpace();
    return all.stream().filter(f -> f.idSpace().equals(space)).map(IdFeature::name).toList();
  }

  private static List<IdFeature> idFeatures(Schema schema) {
    return schema.features().stream()
        .filter(IdFeature.class::isInstance)
        .map(IdFeature.class::cast)
        .toList();
  }

  private static void check(
      String key, Collection<String> features, String kind, List<String> known, Schema schema) {
    for (String feature : features) {
      if (!known.contains(feature)) {
        throw new ConfigException(
            "model.%s names '%s', which is no %s of schema '%s'; want some of %s"
                .formatted(key, feature, kind, schema.name(), String.join(", ", known)));
      }
    }
  }
}
