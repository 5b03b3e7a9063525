package dev.wukong.ranker;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Schema;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A model and its hyperparameters: one record a model. */
public sealed interface RankerConfig permits WukongConfig {
  /** Writes configurations as they are read: keys with underscores, choices in lower case. */
  JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
          .build();

  /**
   * How wide each feature's embeddings are, and how the deviating ones and the numbers reach the
   * common width.
   */
  EmbeddingConfig embedding();

  /** The model's logits [B, tasks] for {@code inputs}. */
  Tensor logits(Network net, RankerInputs inputs, int tasks);

  /** Reads the {@code model} section of a configuration. */
  static RankerConfig read(Section section) {
    String type = section.text("type", "wukong");
    return switch (type) {
      case "wukong" -> WukongConfig.read(section);
      default ->
          throw new ConfigException(section.path() + ".type is '" + type + "', want one of wukong");
    };
  }

  /** This configuration whole, defaults included, in the form that {@link #read} takes. */
  default ObjectNode toJson() {
    ObjectNode node = JSON.valueToTree(this);
    node.put(
        "type",
        switch (this) {
          case WukongConfig _ -> "wukong";
        });
    return node;
  }

  /** The embedding widths of each id feature of {@code schema}, in the order of its tables. */
  default Map<String, List<Integer>> widths(Schema schema) {
    EmbeddingConfig config = embedding();
    Set<String> ids =
        schema.features().stream()
            .filter(IdFeature.class::isInstance)
            .map(Feature::name)
            .collect(Collectors.toSet());
    for (String key : List.of("widths", "counts")) {
      Map<String, Integer> named = key.equals("widths") ? config.widths() : config.counts();
      for (String feature : named.keySet()) {
        if (!ids.contains(feature)) {
          throw new ConfigException(
              "model.embedding."
                  + key
                  + " names '"
                  + feature
                  + "', which is no id feature of schema '"
                  + schema.name()
                  + "'");
        }
      }
    }
    Map<String, List<Integer>> result = new LinkedHashMap<>();
    for (String feature :
        schema.features().stream().map(Feature::name).filter(ids::contains).toList()) {
      int width = config.widths().getOrDefault(feature, config.width());
      int count = config.counts().getOrDefault(feature, 1);
      result.put(feature, new ArrayList<>(java.util.Collections.nCopies(count, width)));
    }
    return result;
  }

  default InputLayout layout(Schema schema) {
    return InputLayout.of(schema, widths(schema));
  }
}
