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

/** Which tables a model has for each id feature: its embeddings', then the extra ones. */
final class TableWidths {
  private TableWidths() {}

  /**
   * By feature, the widths of its tables.
   *
   * @throws ConfigException if the configuration names a feature that the schema lacks
   */
  static Map<String, List<Integer>> of(RankerConfig config, Schema schema) {
    EmbeddingConfig embedding = config.embedding();
    List<ExtraTables> extras = config.extras(schema.tasks().size());
    List<String> ids = ids(schema);
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
      int width = embedding.widths().getOrDefault(feature, embedding.width());
      List<Integer> own = new ArrayList<>(Collections.nCopies(embedding.count(feature), width));
      extras.stream().filter(e -> e.has(feature)).forEach(e -> own.add(e.width()));
      result.put(feature, own);
    }
    return result;
  }

  /** Which of {@code feature}'s tables is one of {@code tables}; empty where it has none there. */
  static OptionalInt place(RankerConfig config, ExtraTables tables, String feature) {
    if (!tables.has(feature)) {
      return OptionalInt.empty();
    }
    int place = config.embedding().count(feature);
    for (ExtraTables other : config.extras(1)) { // The number of tasks changes widths alone.
      if (other.name().equals(tables.name())) {
        return OptionalInt.of(place);
      }
      place += other.has(feature) ? 1 : 0;
    }
    throw new IllegalArgumentException("the model has no tables '" + tables.name() + "'");
  }

  private static List<String> ids(Schema schema) {
    return schema.features().stream()
        .filter(IdFeature.class::isInstance)
        .map(feature -> feature.name())
        .toList();
  }

  private static void check(
      String key, Collection<String> features, String kind, List<String> known, Schema schema) {
    for (String feature : features) {
      if (!known.contains(feature)) {
        throw new ConfigException(
            "model.%s names '%s', which is no %s of schema '%s'"
                .formatted(key, feature, kind, schema.name()));
      }
    }
  }
}
