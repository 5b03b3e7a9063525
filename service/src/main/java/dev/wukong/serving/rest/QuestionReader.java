package dev.wukong.serving.rest;

import dev.wukong.data.DataException;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.serving.predict.CriticalityClass;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.text.ShownText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonParser.NumberType;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads a body strictly: people write them, and people misspell. Errors name the place, the value
 * and what is allowed. Values are kept as they come, and no more of them than a request may have:
 * small texts can hold millions. One use, one thread.
 */
final class QuestionReader {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** Values of a body, at most; a list counts as one more. */
  static final int MOST_VALUES = 1 << 20;

  /** Stands for the context where candidates have their index. */
  private static final int CONTEXT = -1;

  /** Stands for a value that is in no list. */
  private static final int ALONE = -1;

  private final JsonParser json;
  private final PredictLimits limits;
  private int values;

  private @Nullable Long version;
  private @Nullable String label;
  private @Nullable String routingKey;
  private Criticality criticality = Criticality.CRITICALITY_NORMAL;
  private Map<String, @Nullable Object> context = Map.of();
  private List<Map<String, @Nullable Object>> candidates = List.of();

  private QuestionReader(JsonParser json, PredictLimits limits) {
    this.json = json;
    this.limits = limits;
  }

  /**
   * What {@code body} asks.
   *
   * @throws DataException if it is no such JSON, or asks for more than {@code limits} allow
   */
  static Question read(byte[] body, PredictLimits limits) {
    try (JsonParser json = JSON.createParser(body)) {
      return new QuestionReader(json, limits).question();
    } catch (StreamConstraintsException e) {
      throw new DataException(
          "the body is nested too deeply, or a name, text or number in it is too long", e);
    } catch (JacksonException e) {
      throw new DataException("the body is no JSON" + where(e.getLocation()) + why(e), e);
    }
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

  private Question question() {
    if (json.nextToken() == null) {
      throw new DataException("the body is empty; an object with candidates is needed");
    }
    if (!at(JsonToken.START_OBJECT)) {
      throw new DataException(
          "the body is %s; an object with candidates is needed".formatted(shown()));
    }
    for (String field = json.nextName(); field != null; field = json.nextName()) {
      json.nextToken();
      read(field);
    }
    if (json.nextToken() != null) {
      throw new DataException(
          "the body is no JSON%s: its object has ended, and more follows"
              .formatted(where(json.currentTokenLocation())));
    }
    if (candidates.isEmpty()) {
      throw new DataException("candidates is missing or empty; one or more objects are needed");
    }
    return new Question(
        pick(), routingKey == null ? "" : routingKey, criticality, context, candidates);
  }

  private void read(String field) {
    switch (field) {
      case "context" -> context = at(JsonToken.VALUE_NULL) ? Map.of() : columns(CONTEXT);
      case "candidates" -> candidates = candidates();
      case "version" -> version = version();
      case "label" -> label = text(field);
      case "routingKey" -> routingKey = text(field);
      case "criticality" -> criticality = criticality(text(field));
      default ->
          throw new DataException(
              ("there is no field '%s'; candidates, context, criticality, label, routingKey and"
                      + " version are allowed")
                  .formatted(ShownText.of(field)));
    }
  }

  private ModelSelector pick() {
    ModelSelector.Builder pick = ModelSelector.newBuilder();
    if (version != null && label != null) {
      throw new DataException("version and label are both set; one of them is allowed");
    }
    if (version != null) {
      pick.setVersion(version);
    }
    if (label != null) {
      pick.setLabel(label);
    }
    return pick.build();
  }

  private @Nullable Long version() {
    if (at(JsonToken.VALUE_NULL)) {
      return null;
    }
    if (!at(JsonToken.VALUE_NUMBER_INT) || json.getNumberType() == NumberType.BIG_INTEGER) {
      throw new DataException(
          "version is %s; a whole number of 1 or more is needed".formatted(shown()));
    }
    return json.getLongValue();
  }

  private static Criticality criticality(@Nullable String text) {
    if (text == null) {
      return Criticality.CRITICALITY_NORMAL;
    }
    return CriticalityClass.parse(text)
        .orElseThrow(
            () ->
                new DataException(
                    "criticality is '%s'; %s are allowed"
                        .formatted(ShownText.of(text), CriticalityClass.ALLOWED)));
  }

  private List<Map<String, @Nullable Object>> candidates() {
    if (at(JsonToken.VALUE_NULL)) {
      return List.of();
    }
    if (!at(JsonToken.START_ARRAY)) {
      throw new DataException("candidates is %s; a list of objects is needed".formatted(shown()));
    }
    List<Map<String, @Nullable Object>> read = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (read.size() == limits.candidates()) {
        limits.requireCandidates(read.size() + rest()); // Which they are more than.
      }
      read.add(columns(read.size()));
    }
    return read;
  }

  /** How many elements there are from this one to the end of the list; none is kept. */
  private long rest() {
    long rest = 0;
    do {
      json.skipChildren();
      rest++;
    } while (json.nextToken() != JsonToken.END_ARRAY);
    return rest;
  }

  private Map<String, @Nullable Object> columns(int candidate) {
    if (!at(JsonToken.START_OBJECT)) {
      throw new DataException("%s is %s; an object is needed".formatted(place(candidate), shown()));
    }
    Map<String, @Nullable Object> columns = new LinkedHashMap<>();
    for (String column = json.nextName(); column != null; column = json.nextName()) {
      json.nextToken();
      columns.put(column, value(candidate, column));
    }
    return columns;
  }

  private @Nullable Object value(int candidate, String column) {
    if (!at(JsonToken.START_ARRAY)) {
      return single(candidate, column, ALONE);
    }
    count();
    List<@Nullable Object> list = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      list.add(single(candidate, column, list.size()));
    }
    return list;
  }

  /**
   * A value of a column.
   *
   * @param index in its list
   */
  private @Nullable Object single(int candidate, String column, int index) {
    count();
    return switch (json.currentToken()) {
      case VALUE_NULL -> null;
      case VALUE_STRING -> json.getString();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NUMBER_INT -> integer();
      case VALUE_NUMBER_FLOAT -> json.getDoubleValue();
      default ->
          throw new DataException(
              "%s: column '%s' is %s; a string, a number, true%s is needed"
                  .formatted(
                      place(candidate),
                      ShownText.of(index == ALONE ? column : "%s[%d]".formatted(column, index)),
                      at(JsonToken.START_ARRAY) ? "a list within a list" : "an object",
                      index == ALONE ? ", false or a list" : " or false"));
    };
  }

  private Number integer() {
    if (json.getNumberType() == NumberType.BIG_INTEGER) {
      return json.getBigIntegerValue();
    }
    return json.getLongValue();
  }

  private void count() {
    values++;
    if (values > MOST_VALUES) {
      throw new DataException(
          "the body has more than %d values; gRPC is for large requests".formatted(MOST_VALUES));
    }
  }

  private @Nullable String text(String field) {
    if (at(JsonToken.VALUE_NULL)) {
      return null;
    }
    if (!at(JsonToken.VALUE_STRING)) {
      throw new DataException("%s is %s; a text is needed".formatted(field, shown()));
    }
    return json.getString();
  }

  private boolean at(JsonToken token) {
    return json.currentToken() == token;
  }

  private static String place(int candidate) {
    return candidate == CONTEXT ? "context" : "candidates[%d]".formatted(candidate);
  }

  /** The value that the parser is at. */
  private String shown() {
    if (at(JsonToken.START_OBJECT) || at(JsonToken.START_ARRAY)) {
      return at(JsonToken.START_ARRAY) ? "a list" : "an object";
    }
    String text = ShownText.of(json.getString());
    return at(JsonToken.VALUE_STRING) ? "'" + text + "'" : text;
  }
}
