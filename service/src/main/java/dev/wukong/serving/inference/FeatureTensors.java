package dev.wukong.serving.inference;

import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.ValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The tensors by which a model's features come. Stateless. */
final class FeatureTensors {
  static final String CONTEXT_OF = "context_of";

  /**
   * A tensor that a model takes.
   *
   * @param width values a row; -1: any
   * @param optional may be left out
   */
  record Spec(String name, Datatype datatype, long width, boolean optional) {}

  private FeatureTensors() {}

  static String name(Feature feature) {
    return feature.scope().name().toLowerCase(Locale.ROOT) + "." + feature.name();
  }

  static String count(Feature feature) {
    return name(feature) + ".count";
  }

  static String weights(Feature feature) {
    return name(feature) + ".weights";
  }

  static String present(Feature feature) {
    return name(feature) + ".present";
  }

  /** The type of an id feature's values. */
  static Datatype datatype(IdFeature feature) {
    return feature.bucketed()
        ? Datatype.FP64
        : feature.type() == ValueType.STRING ? Datatype.BYTES : Datatype.INT64;
  }

  /**
   * Names of all tensors that may say how many rows {@code scope} has: its features' values first,
   * then what goes with them. Some of these no model takes.
   */
  static List<String> names(Schema schema, Scope scope) {
    List<Feature> features =
        schema.features().stream().filter(feature -> feature.scope() == scope).toList();
    List<String> names = new ArrayList<>();
    features.forEach(feature -> names.add(name(feature)));
    for (Feature feature : features) {
      names.addAll(List.of(present(feature), count(feature), weights(feature)));
    }
    return names;
  }

  /** All that {@code schema} has. */
  static List<Spec> of(Schema schema) {
    List<Spec> specs = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      for (IdFeature feature : schema.ids(scope)) {
        boolean many = feature.multiValued();
        specs.add(new Spec(name(feature), datatype(feature), many ? -1 : 1, true));
        specs.add(
            many
                ? new Spec(count(feature), Datatype.INT32, 1, true)
                : new Spec(present(feature), Datatype.BOOL, 1, true));
        if (feature.weighted()) {
          specs.add(new Spec(weights(feature), Datatype.FP32, many ? -1 : 1, true));
        }
      }
      for (NumberFeature feature : schema.numbers(scope)) {
        specs.add(new Spec(name(feature), Datatype.FP32, feature.width(), feature.optional()));
        if (feature.optional()) {
          specs.add(new Spec(present(feature), Datatype.BOOL, 1, true));
        }
      }
    }
    if (schema.hasContext()) {
      specs.add(new Spec(CONTEXT_OF, Datatype.INT32, 1, true));
    }
    return specs;
  }
}
