package dev.wukong.standalone;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Manifest;
import dev.wukong.data.DenseColumns;
import dev.wukong.data.IdColumns;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputNames;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The JSON beside a self-contained graph: its inputs, and how each id space's values become
 * positions. Written as a stream, since a vocabulary may have millions of values.
 */
final class IdsFile {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private IdsFile() {}

  /** The inputs alone, for the properties of the graph's own file. */
  static String inputs(StandaloneInputs inputs) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      inputs(inputs, json);
    }
    return text.toString();
  }

  /** Writes all of it to {@code out}, which stays open. */
  static void write(Bundle bundle, StandaloneInputs inputs, OutputStream out) throws IOException {
    Manifest manifest = bundle.manifest();
    try (JsonGenerator json =
        JSON.writerWithDefaultPrettyPrinter()
            .without(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .createGenerator(out)) {
      json.writeStartObject();
      json.writeNumberProperty("format", 1);
      json.writeStringProperty("model", manifest.model());
      json.writeNumberProperty("version", manifest.version());
      json.writeStringProperty("schema_id", manifest.schema().id());
      json.writeName("inputs");
      inputs(inputs, json);
      json.writeArrayPropertyStart("outputs");
      for (String output : List.of("probabilities", "logits")) {
        json.writeStartObject();
        tensor(json, output, "float32", "B", manifest.schema().tasks().size());
        json.writeArrayPropertyStart("tasks");
        manifest.schema().tasks().stream().map(Task::name).forEach(json::writeString);
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeObjectPropertyStart("positions");
      json.writeNumberProperty("padding", IdPositions.PADDING);
      json.writeNumberProperty("unknown", IdPositions.UNKNOWN);
      json.writeNumberProperty("unseen", IdPositions.UNSEEN);
      json.writeNumberProperty("missing", IdPositions.MISSING);
      json.writeNumberProperty("first", IdPositions.FIRST);
      json.writeEndObject();
      json.writeObjectPropertyStart("id_spaces");
      inputs.positions().keySet().stream()
          .sorted()
          .forEach(space -> space(bundle, inputs.of(space), space, json));
      json.writeEndObject();
      json.writeEndObject();
    }
  }

  private static void inputs(StandaloneInputs inputs, JsonGenerator json) {
    json.writeStartArray();
    for (Scope scope : Scope.values()) {
      String rows = inputs.rows(scope);
      for (IdColumns columns : inputs.features(scope)) {
        IdFeature feature = columns.feature();
        json.writeStartObject();
        tensor(json, InputNames.ids(feature), "int64", rows, feature.maxIds());
        json.writeStringProperty("feature", feature.name());
        json.writeStringProperty("column", feature.column());
        json.writeStringProperty("id_space", feature.idSpace());
        json.writeArrayPropertyStart("tables");
        inputs.layout().tables().stream()
            .filter(t -> t.idSpace().equals(feature.idSpace()))
            .forEach(t -> json.writeString(t.name()));
        json.writeEndArray();
        json.writeNumberProperty("positions", inputs.of(feature.idSpace()).count());
        json.writeNumberProperty("padding", IdPositions.PADDING);
        json.writeNumberProperty("unseen", IdPositions.UNSEEN);
        json.writeNumberProperty("missing", IdPositions.MISSING);
        json.writeEndObject();
        if (feature.weighted()) {
          json.writeStartObject();
          tensor(json, InputNames.weights(feature), "float32", rows, feature.maxIds());
          json.writeStringProperty("feature", feature.name());
          json.writeStringProperty("column", feature.weightColumn().orElseThrow());
          json.writeEndObject();
        }
      }
      if (inputs.layout().denseWidth(scope) > 0) {
        dense(inputs, scope, json);
      }
    }
    if (inputs.contextOf()) {
      json.writeStartObject();
      json.writeStringProperty("name", InputNames.CONTEXT_OF);
      json.writeStringProperty("type", "int32");
      json.writeArrayPropertyStart("shape").writeString("B").writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void dense(StandaloneInputs inputs, Scope scope, JsonGenerator json) {
    json.writeStartObject();
    tensor(
        json,
        InputNames.dense(scope),
        "float32",
        inputs.rows(scope),
        inputs.layout().denseWidth(scope));
    json.writeArrayPropertyStart("numbers");
    for (DenseColumns columns : inputs.layout().dense(scope)) {
      json.writeStartObject();
      json.writeStringProperty("feature", columns.feature().name());
      json.writeStringProperty("column", columns.feature().column());
      json.writeNumberProperty("start", columns.start());
      json.writeNumberProperty("width", columns.feature().width());
      if (columns.feature().optional()) {
        json.writeNumberProperty("presence", columns.presence());
      }
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void tensor(
      JsonGenerator json, String name, String type, String rows, int columns) {
    json.writeStringProperty("name", name);
    json.writeStringProperty("type", type);
    json.writeArrayPropertyStart("shape").writeString(rows).writeNumber(columns).writeEndArray();
  }

  private static void space(
      Bundle bundle, IdPositions positions, String space, JsonGenerator json) {
    IdFeature feature = bundle.manifest().schema().ofSpace(space);
    json.writeObjectPropertyStart(space);
    json.writeStringProperty(
        "type", feature.bucketed() ? "number" : feature.type().name().toLowerCase(Locale.ROOT));
    switch (feature.mapping()) {
      case IdMapping.Vocabulary _ -> {
        json.writeStringProperty("ids", "vocabulary");
        json.writeArrayPropertyStart("values");
        bundle.vocabularies().getOrDefault(space, List.of()).forEach(json::writeString);
        json.writeEndArray();
      }
      case IdMapping.Hash(var buckets) -> {
        json.writeStringProperty("ids", "hash");
        json.writeStringProperty("hash", "xxHash64, seed 0, unsigned");
        json.writeNumberProperty("modulus", buckets == 0 ? IdMapping.HASH_SPACE : buckets);
        json.writeArrayPropertyStart("remainders");
        for (long id : positions.hashed().orElseThrow()) {
          json.writeNumber(id - RowKey.FIRST);
        }
        json.writeEndArray();
      }
      case IdMapping.Buckets(var boundaries) -> {
        json.writeStringProperty("ids", "buckets");
        json.writeArrayPropertyStart("boundaries");
        boundaries.forEach(json::writeNumber);
        json.writeEndArray();
      }
    }
    json.writeEndObject();
  }
}
