package dev.wukong.figures;

import dev.wukong.config.Section;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.run.RunConfig;
import dev.wukong.training.TrainingConfig;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A model in its published configuration on Frappe. */
enum FrappeModel {
  WUKONG("frappe"),
  AFN("frappe-afn"),
  AUTOINT("frappe-autoint"),
  DCNV2("frappe-dcnv2"),
  DLRM("frappe-dlrm"),
  FINALMLP("frappe-finalmlp"),
  MASKNET("frappe-masknet"),
  XDEEPFM("frappe-xdeepfm");

  static final int THREADS = 2;

  /**
   * What rows start from where gradients are compared. The published 1e-4 would hide most of a
   * model: products of such rows are nothing beside the epsilons of its normalizations.
   */
  private static final double AWAKE = 0.05;

  private final String source;

  FrappeModel(String source) {
    this.source = source;
  }

  /** As figures and options name it: the model's type. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  RunConfig config() {
    return RunConfig.read(source);
  }

  /** The training as configured, on as many threads as the other side has. */
  static TrainingConfig training(RunConfig config) {
    ObjectNode json = (ObjectNode) config.trainingJson().deepCopy();
    return TrainingConfig.read(Section.of("training", json.put("threads", THREADS)));
  }

  /** The model without dropout, whose masks differ from side to side, from larger rows. */
  static RankerConfig compared(RankerConfig model) {
    ObjectNode json = model.toJson();
    withoutDropout(json);
    ((ObjectNode) json.get("embedding")).put("deviation", AWAKE);
    return RankerConfig.read(Section.of("model", json));
  }

  private static void withoutDropout(JsonNode node) {
    if (node instanceof ObjectNode object && object.has("dropout")) {
      object.put("dropout", 0);
    }
    node.forEach(FrappeModel::withoutDropout);
  }
}
