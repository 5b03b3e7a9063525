package dev.wukong.bundle;

import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A schema as JSON, in the manifest. */
final class SchemaJson {
  private static final int MAX_FEATURES = 10_000;
  private static final int MAX_TASKS = 1_000;
  private static final int MAX_IDS = 65_536;
  private static final int MAX_WIDTH = 65_536;
  private static final int MAX_BOUNDARIES = 65_536;

  private SchemaJson() {}

  static void write(Schema schema, ObjectNode to) {
    to.put("name", schema.name());
    ArrayNode features = to.putArray("features");
    for (Feature feature : schema.features()) {
      ObjectNode node = features.addObject();
      node.put("name", feature.name());
      switch (feature) {
        case IdFeature ids -> writeIds(ids, node);
        case NumberFeature number -> writeNumber(number, node);
      }
    }
    ArrayNode tasks = to.putArray("tasks");
    for (Task task : schema.tasks()) {
      ObjectNode node = tasks.addObject();
      node.put("name", task.name());
      node.put("column", task.column());
      task.threshold().ifPresent(t -> node.put("threshold", t));
      task.weightColumn().ifPresent(c -> node.put("weightColumn", c));
    }
  }

  private static void writeIds(IdFeature ids, ObjectNode node) {
    node.put("type", "id");
    node.put("scope", ids.scope().name());
    node.put("column", ids.column());
    node.put("valueType", ids.type().name());
    ObjectNode mapping = node.putObject("mapping");
    switch (ids.mapping()) {
      case IdMapping.Vocabulary(int minCount) ->
          mapping.put("type", "vocabulary").put("minCount", minCount);
      case IdMapping.Hash(long buckets) -> mapping.put("type", "hash").put("buckets", buckets);
      case IdMapping.Buckets(List<Double> boundaries) -> {
        ArrayNode list = mapping.put("type", "buckets").putArray("boundaries");
        boundaries.forEach(list::add);
      }
    }
    node.put("idSpace", ids.idSpace());
    node.put("maxIds", ids.maxIds());
    node.put("pooling", ids.pooling().name());
    ids.weightColumn().ifPresent(c -> node.put("weightColumn", c));
  }

  private static void writeNumber(NumberFeature number, ObjectNode node) {
    node.put("type", "number");
    node.put("scope", number.scope().name());
    node.put("column", number.column());
    node.put("width", number.width());
    node.put("transform", number.transform().name());
    node.put("optional", number.optional());
  }

  static Schema read(Fields fields) throws BundleException {
    try {
      return readSchema(fields);
    } catch (IllegalArgumentException e) {
      throw new BundleException("field '%s': %s".formatted(fields.path(), e.getMessage()), e);
    }
  }

  private static Schema readSchema(Fields fields) throws BundleException {
    List<Feature> features = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Fields feature : fields.objects("features", MAX_FEATURES)) {
      features.add(readFeature(feature));
      refuseSecond(names, feature);
    }
    List<Task> tasks = new ArrayList<>();
    names.clear();
    for (Fields task : fields.objects("tasks", MAX_TASKS)) {
      Optional<Double> threshold =
          task.has("threshold") ? Optional.of(task.number("threshold")) : Optional.empty();
      tasks.add(
          new Task(
              task.string("name"),
              task.string("column"),
              threshold,
              task.optionalString("weightColumn")));
      task.end();
      refuseSecond(names, task);
    }
    Schema schema = new Schema(fields.string("name"), features, tasks);
    fields.end();
    return schema;
  }

  private static void refuseSecond(Set<String> names, Fields fields) throws BundleException {
    if (!names.add(fields.string("name"))) {
      throw new BundleException(
          "field '%s.name' is '%s', which is taken, names must differ"
              .formatted(fields.path(), fields.string("name")));
    }
  }

  private static Feature readFeature(Fields fields) throws BundleException {
    String type = fields.string("type");
    Feature feature =
        switch (type) {
          case "id" -> readIds(fields);
          case "number" ->
              new NumberFeature(
                  fields.string("name"),
                  fields.constant("scope", Scope.class),
                  fields.string("column"),
                  (int) fields.integer("width", 1, MAX_WIDTH),
                  fields.constant("transform", Transform.class),
                  fields.bool("optional"));
          default -> throw unknownType(fields, type, "id, number");
        };
    fields.end();
    return feature;
  }

  private static IdFeature readIds(Fields fields) throws BundleException {
    return new IdFeature(
        fields.string("name"),
        fields.constant("scope", Scope.class),
        fields.string("column"),
        fields.constant("valueType", ValueType.class),
        readMapping(fields.object("mapping")),
        fields.string("idSpace"),
        (int) fields.integer("maxIds", 1, MAX_IDS),
        fields.constant("pooling", Pooling.class),
        fields.optionalString("weightColumn"));
  }

  private static IdMapping readMapping(Fields fields) throws BundleException {
    String type = fields.string("type");
    IdMapping mapping =
        switch (type) {
          case "vocabulary" ->
              new IdMapping.Vocabulary((int) fields.integer("minCount", 0, Integer.MAX_VALUE));
          case "hash" -> new IdMapping.Hash(fields.integer("buckets", 0, Long.MAX_VALUE));
          case "buckets" ->
              new IdMapping.Buckets(
                  Arrays.stream(fields.numbers("boundaries", MAX_BOUNDARIES)).boxed().toList());
          default -> throw unknownType(fields, type, "vocabulary, hash, buckets");
        };
    fields.end();
    return mapping;
  }

  private static BundleException unknownType(Fields fields, String type, String allowed) {
    return new BundleException(
        "field '%s.type' is '%s', allowed are %s".formatted(fields.path(), type, allowed));
  }
}
