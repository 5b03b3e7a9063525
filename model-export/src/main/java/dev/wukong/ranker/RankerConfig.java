package dev.wukong.ranker;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Schema;
import dev.wukong.graph.Tensor;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A model and its hyperparameters: one record a model. */
public sealed interface RankerConfig
    permits AfnConfig,
        AutoIntConfig,
        DcnV2Config,
        DlrmConfig,
        FinalMlpConfig,
        MaskNetConfig,
        WukongConfig,
        XDeepFmConfig {
  /** Writes configurations as they are read: keys with underscores, choices in lower case. */
  JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
          .changeDefaultPropertyInclusion(
              include -> include.withValueInclusion(JsonInclude.Include.NON_ABSENT))
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
      case "afn" -> AfnConfig.read(section);
      case "autoint" -> AutoIntConfig.read(section);
      case "dcnv2" -> DcnV2Config.read(section);
      case "dlrm" -> DlrmConfig.read(section);
      case "finalmlp" -> FinalMlpConfig.read(section);
      case "masknet" -> MaskNetConfig.read(section);
      case "wukong" -> WukongConfig.read(section);
      case "xdeepfm" -> XDeepFmConfig.read(section);
      default ->
          throw new ConfigException(
              section.path()
                  + ".type is '"
                  + type
                  + "', want one of afn, autoint, dcnv2, dlrm, finalmlp, masknet, wukong, xdeepfm");
    };
  }

  /** This configuration whole, defaults included, in the form that {@link #read} takes. */
  default ObjectNode toJson() {
    ObjectNode node = JSON.valueToTree(this);
    return node.put("type", type());
  }

  /** The model's name in configurations. */
  default String type() {
    return switch (this) {
      case AfnConfig _ -> "afn";
      case AutoIntConfig _ -> "autoint";
      case DcnV2Config _ -> "dcnv2";
      case DlrmConfig _ -> "dlrm";
      case FinalMlpConfig _ -> "finalmlp";
      case MaskNetConfig _ -> "masknet";
      case WukongConfig _ -> "wukong";
      case XDeepFmConfig _ -> "xdeepfm";
    };
  }

  /** The tables that the model has beside those of its embeddings. */
  default List<ExtraTables> extras(int tasks) {
    return List.of();
  }

  /** The widths of the tables of each id feature of {@code schema}, in their order. */
  default Map<String, List<Integer>> widths(Schema schema) {
    return TableWidths.of(this, schema);
  }

  default InputLayout layout(Schema schema) {
    return InputLayout.of(schema, widths(schema));
  }
}
