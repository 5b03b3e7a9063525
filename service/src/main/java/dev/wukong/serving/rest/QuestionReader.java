package dev.wukong.serving.rest;

import dev.wukong.data.DataException;
import dev.wukong.data.ShownText;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.serving.predict.CriticalityClass;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads bodies strictly: people write them, and people misspell. Errors name the place, the value
 * and what is allowed. Stateless.
 */
final class QuestionReader {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final Set<String> FIELDS =
      Set.of("context", "candidates", "version", "label", "routingKey", "criticality");

  private QuestionReader() {}

  /**
   * What {@code body} asks.
   *
   * @throws DataException if it is no such JSON
   */
  static Question read(byte[] body) {
    JsonNode root = tree(body);
    if (!root.isObject()) {
      throw new DataException(
          "the body is %s; an object with candidates is needed".formatted(shown(root)));
    }
    for (String field : root.propertyNames()) {
      if (!FIELDS.contains(field)) {
        throw new DataException(
            ("there is no field '%s'; candidates, context, criticality, label, routingKey and"
                    + " version are allowed")
                .formatted(ShownText.of(field)));
      }
    }
    return new Question(
        pick(root),
        text(root, "routingKey"),
        criticality(root),
        present(root, "context") ? values("context", root.get("context")) : Map.of(),
        candidates(root));
  }

  private static JsonNode tree(byte[] body) {
    JsonNode root;
    try {
      root = JSON.readTree(body);
    } catch (StreamConstraintsException e) {
      throw new DataException(
          "the body is nested too deeply, or a name, text or number in it is too long", e);
    } catch (JacksonException e) {
      throw new DataException("the body is no JSON" + where(e.getLocation()) + why(e), e);
    }
    if (root == null || root.isMissingNode()) {
      throw new DataException("the body is empty; an object with candidates is needed");
    }
    return root;
  }

  private static String where(@Nullable TokenStreamLocation at) {
    return at == null || at.getLineNr() < 1
        ? ""
        : ", line %d, column %d".formatted(at.getLineNr(), at.getColumnNr());
  }

  /** What the parser says, unless it speaks of its own classes. */
  private static String why(JacksonException e) {
    String message = e.getOriginalMessage();
    return message == null || message.contains("`") ? "" : ": " + ShownText.oneLine(message);
  }

  private static ModelSelector pick(JsonNode root) {
    ModelSelector.Builder pick = ModelSelector.newBuilder();
    if (present(root, "version") && present(root, "label")) {
      throw new DataException("version and label are both set; one of them is allowed");
    }
    if (present(root, "version")) {
      JsonNode version = root.get("version");
      if (!version.isIntegralNumber() || !version.canConvertToLong()) {
        throw new DataException(
            "version is %s; a whole number of 1 or more is needed".formatted(shown(version)));
      }
      pick.setVersion(version.longValue());
    }
    if (present(root, "label")) {
      pick.setLabel(text(root, "label"));
    }
    return pick.build();
  }

  private static Criticality criticality(JsonNode root) {
    if (!present(root, "criticality")) {
      return Criticality.CRITICALITY_NORMAL;
    }
    String text = text(root, "criticality");
    return CriticalityClass.parse(text)
        .orElseThrow(
            () ->
                new DataException(
                    "criticality is '%s'; %s are allowed"
                        .formatted(ShownText.of(text), CriticalityClass.ALLOWED)));
  }

  private static List<Map<String, @Nullable Object>> candidates(JsonNode root) {
    JsonNode given = root.get("candidates");
    if (given != null && !given.isNull() && !given.isArray()) {
      throw new DataException(
          "candidates is %s; a list of objects is needed".formatted(shown(given)));
    }
    if (given == null || given.isEmpty()) {
      throw new DataException("candidates is missing or empty; one or more objects are needed");
    }
    List<Map<String, @Nullable Object>> candidates = new ArrayList<>(given.size());
    for (JsonNode candidate : given) {
      candidates.add(values("candidates[%d]".formatted(candidates.size()), candidate));
    }
    return candidates;
  }

  private static Map<String, @Nullable Object> values(String place, JsonNode node) {
    if (!node.isObject()) {
      throw new DataException("%s is %s; an object is needed".formatted(place, shown(node)));
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> property : node.properties()) {
      values.put(property.getKey(), value(place, property.getKey(), property.getValue()));
    }
    return values;
  }

  private static @Nullable Object value(String place, String column, JsonNode node) {
    if (!node.isArray()) {
      return single(place, column, node, "a string, a number, true, false or a list");
    }
    List<@Nullable Object> list = new ArrayList<>(node.size());
    for (JsonNode element : node) {
      list.add(
          single(
              place,
              "%s[%d]".formatted(column, list.size()),
              element,
              "a string, a number, true or false"));
    }
    return list;
  }

  private static @Nullable Object single(
      String place, String column, JsonNode node, String allowed) {
    if (node.isNull()) {
      return null;
    }
    if (node.isString()) {
      return node.stringValue();
    }
    if (node.isBoolean()) {
      return node.booleanValue();
    }
    if (node.isIntegralNumber()) {
      return node.canConvertToLong() ? node.longValue() : node.bigIntegerValue();
    }
    if (node.isNumber()) {
      return node.doubleValue();
    }
    throw new DataException(
        "%s: column '%s' is %s; %s is needed"
            .formatted(
                place,
                ShownText.of(column),
                node.isArray() ? "a list within a list" : "an object",
                allowed));
  }

  private static String text(JsonNode root, String field) {
    if (!present(root, field)) {
      return "";
    }
    JsonNode value = root.get(field);
    if (!value.isString()) {
      throw new DataException("%s is %s; a text is needed".formatted(field, shown(value)));
    }
    return value.stringValue();
  }

  private static boolean present(JsonNode root, String field) {
    JsonNode value = root.get(field);
    return value != null && !value.isNull();
  }

  private static String shown(JsonNode node) {
    if (node.isContainer()) {
      return node.isArray() ? "a list" : "an object";
    }
    return node.isString()
        ? "'" + ShownText.of(node.stringValue()) + "'"
        : ShownText.of(node.toString());
  }
}
