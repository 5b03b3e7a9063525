package dev.wukong.bundle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * A JSON object read strictly: every field that is asked for must be there and of its type, and at
 * the {@link #end} none may be left over. Errors name the field by its path.
 */
final class StrictFields {
  private final String path;
  private final JsonNode node;
  private final Set<String> asked = new HashSet<>();

  private StrictFields(String path, JsonNode node) {
    this.path = path;
    this.node = node;
  }

  /**
   * @param path the object's own path, empty for the document
   */
  static StrictFields of(String path, JsonNode node) throws BundleException {
    if (!node.isObject()) {
      throw new BundleException(
          path.isEmpty()
              ? "the document is %s, expected an object".formatted(kind(node))
              : "field '%s' is %s, expected an object".formatted(path, kind(node)));
    }
    return new StrictFields(path, node);
  }

  String path() {
    return path;
  }

  /** The whole object, for readers of their own. */
  JsonNode node() {
    return node;
  }

  /** All names, in the document's order. */
  List<String> names() {
    return List.copyOf(node.propertyNames());
  }

  boolean has(String name) {
    asked.add(name);
    return node.has(name);
  }

  JsonNode json(String name) throws BundleException {
    asked.add(name);
    JsonNode value = node.get(name);
    if (value == null) {
      throw new BundleException("field '%s' is missing".formatted(at(name)));
    }
    return value;
  }

  String string(String name) throws BundleException {
    JsonNode value = json(name);
    if (!value.isString()) {
      throw wrong(at(name), value, "a string");
    }
    return value.stringValue();
  }

  Optional<String> optionalString(String name) throws BundleException {
    return has(name) ? Optional.of(string(name)) : Optional.empty();
  }

  /** A string that is the name of one of the constants of {@code type}. */
  <E extends Enum<E>> E constant(String name, Class<E> type) throws BundleException {
    String text = string(name);
    for (E constant : type.getEnumConstants()) {
      if (constant.name().equals(text)) {
        return constant;
      }
    }
    throw new BundleException(
        "field '%s' is '%s', allowed are %s"
            .formatted(at(name), text, Arrays.toString(type.getEnumConstants())));
  }

  boolean bool(String name) throws BundleException {
    JsonNode value = json(name);
    if (!value.isBoolean()) {
      throw wrong(at(name), value, "true or false");
    }
    return value.booleanValue();
  }

  long integer(String name, long min, long max) throws BundleException {
    return integer(at(name), json(name), min, max);
  }

  double number(String name) throws BundleException {
    return number(at(name), json(name));
  }

  StrictFields object(String name) throws BundleException {
    return of(at(name), json(name));
  }

  List<StrictFields> objects(String name, int maxCount) throws BundleException {
    List<StrictFields> objects = new ArrayList<>();
    List<JsonNode> elements = array(name, 0, maxCount);
    for (int i = 0; i < elements.size(); i++) {
      objects.add(of(at(name) + "[" + i + "]", elements.get(i)));
    }
    return objects;
  }

  List<String> strings(String name, int maxCount) throws BundleException {
    List<String> strings = new ArrayList<>();
    for (JsonNode element : array(name, 0, maxCount)) {
      if (!element.isString()) {
        throw wrong(at(name) + "[" + strings.size() + "]", element, "a string");
      }
      strings.add(element.stringValue());
    }
    return strings;
  }

  /** A list of {@code minCount} to {@code maxCount} integers of {@code min} to {@code max}. */
  long[] longs(String name, int minCount, int maxCount, long min, long max) throws BundleException {
    List<JsonNode> elements = array(name, minCount, maxCount);
    long[] values = new long[elements.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = integer(at(name) + "[" + i + "]", elements.get(i), min, max);
    }
    return values;
  }

  double[] numbers(String name, int maxCount) throws BundleException {
    List<JsonNode> elements = array(name, 0, maxCount);
    double[] values = new double[elements.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = number(at(name) + "[" + i + "]", elements.get(i));
    }
    return values;
  }

  /** Floats, each exactly the one that was written. */
  float[] floats(String name, int minCount, int maxCount) throws BundleException {
    List<JsonNode> elements = array(name, minCount, maxCount);
    float[] values = new float[elements.size()];
    for (int i = 0; i < values.length; i++) {
      number(at(name) + "[" + i + "]", elements.get(i));
      values[i] = elements.get(i).decimalValue().floatValue();
      if (!Float.isFinite(values[i])) {
        throw wrong(at(name) + "[" + i + "]", elements.get(i), "a finite float");
      }
    }
    return values;
  }

  /** The fields of the object {@code name} as strings. */
  Map<String, String> stringMap(String name) throws BundleException {
    StrictFields object = object(name);
    Map<String, String> map = new LinkedHashMap<>();
    for (String key : object.names()) {
      map.put(key, object.string(key));
    }
    return map;
  }

  /** Refuses fields that nothing asked for. */
  void end() throws BundleException {
    for (String name : node.propertyNames()) {
      if (!asked.contains(name)) {
        throw new BundleException("field '%s' is unknown".formatted(at(name)));
      }
    }
  }

  private String at(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  private List<JsonNode> array(String name, int minCount, int maxCount) throws BundleException {
    JsonNode value = json(name);
    if (!value.isArray()) {
      throw wrong(at(name), value, "a list");
    }
    if (value.size() < minCount || value.size() > maxCount) {
      throw new BundleException(
          minCount == maxCount
              ? "field '%s' has %d elements, expected %d"
                  .formatted(at(name), value.size(), minCount)
              : "field '%s' has %d elements, allowed are %d to %d"
                  .formatted(at(name), value.size(), minCount, maxCount));
    }
    return value.values().stream().toList();
  }

  private static long integer(String path, JsonNode value, long min, long max)
      throws BundleException {
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw wrong(path, value, "an integer from %d to %d".formatted(min, max));
    }
    long number = value.longValue();
    if (number < min || number > max) {
      throw wrong(path, value, "an integer from %d to %d".formatted(min, max));
    }
    return number;
  }

  private static double number(String path, JsonNode value) throws BundleException {
    if (!value.isNumber() || !Double.isFinite(value.decimalValue().doubleValue())) {
      throw wrong(path, value, "a finite number");
    }
    return value.decimalValue().doubleValue();
  }

  private static BundleException wrong(String path, JsonNode value, String expected) {
    return new BundleException(
        "field '%s' is %s, expected %s".formatted(path, kind(value), expected));
  }

  /** The value itself where it is short, else its kind: a message must not grow with the file. */
  private static String kind(JsonNode value) {
    return switch (value.getNodeType()) {
      case OBJECT -> "an object";
      case ARRAY -> "a list";
      case STRING -> {
        String text = value.stringValue();
        yield text.length() <= 40 ? "'" + text + "'" : "a string of %d".formatted(text.length());
      }
      case NUMBER, BOOLEAN, NULL -> value.toString();
      case BINARY, MISSING, POJO -> "no value";
    };
  }
}
