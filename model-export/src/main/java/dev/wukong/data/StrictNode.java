package dev.wukong.data;

import dev.wukong.text.ShownText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * An object of a schema file, read strictly: errors name the path, the value and what is allowed.
 */
record StrictNode(String source, String path, JsonNode node) {
  /** The same node, checked to be an object with no other keys than {@code keys}. */
  StrictNode withKeys(List<String> keys) {
    if (!node.isObject()) {
      throw new DataException(
          "%s: %s is %s; a map of keys is needed".formatted(source, place(), shown(node)));
    }
    for (String key : node.propertyNames()) {
      if (!keys.contains(key)) {
        throw new DataException(
            "%s: %s has an unknown key '%s'; allowed are: %s"
                .formatted(source, place(), key, String.join(", ", keys)));
      }
    }
    return this;
  }

  private String place() {
    return path.isEmpty() ? "the file" : path;
  }

  private String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  private static String shown(JsonNode node) {
    String text = node.isString() ? "'" + node.asString() + "'" : node.toString();
    return ShownText.of(text);
  }

  DataException bad(String key, String what, String allowed) {
    return new DataException("%s: %s %s; %s".formatted(source, at(key), what, allowed));
  }

  private @Nullable JsonNode find(String key) {
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? null : value;
  }

  private JsonNode need(String key) {
    JsonNode value = find(key);
    if (value == null) {
      throw bad(key, "is missing", "it is needed");
    }
    return value;
  }

  boolean has(String key) {
    return find(key) != null;
  }

  /** A text; numbers count as the text they were written as. */
  String text(String key) {
    JsonNode value = need(key);
    if (!value.isString() && !value.isNumber()) {
      throw bad(key, "is " + shown(value), "a text is needed");
    }
    return value.asString();
  }

  Optional<String> optionalText(String key) {
    return has(key) ? Optional.of(text(key)) : Optional.empty();
  }

  long integer(String key, long otherwise, long min, long max) {
    JsonNode value = find(key);
    if (value == null) {
      return otherwise;
    }
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.asLong() < min
        || value.asLong() > max) {
      throw bad(
          key, "is " + shown(value), "an integer from %d to %d is needed".formatted(min, max));
    }
    return value.asLong();
  }

  Optional<Double> optionalNumber(String key) {
    JsonNode value = find(key);
    return value == null ? Optional.empty() : Optional.of(number(key, value));
  }

  private double number(String key, JsonNode value) {
    if (!value.isNumber() || !Double.isFinite(value.asDouble())) {
      throw bad(key, "is " + shown(value), "a finite number is needed");
    }
    return value.asDouble();
  }

  List<Double> numbers(String key) {
    JsonNode value = need(key);
    if (!value.isArray()) {
      throw bad(key, "is " + shown(value), "a list of numbers is needed");
    }
    List<Double> numbers = new ArrayList<>();
    for (JsonNode element : value) {
      numbers.add(number(key + "[" + numbers.size() + "]", element));
    }
    return numbers;
  }

  boolean flag(String key) {
    JsonNode value = find(key);
    if (value != null && !value.isBoolean()) {
      throw bad(key, "is " + shown(value), "true or false is needed");
    }
    return value != null && value.asBoolean();
  }

  <E extends Enum<E>> E oneOf(String key, E[] allowed, E otherwise) {
    JsonNode value = find(key);
    if (value == null) {
      return otherwise;
    }
    for (E each : allowed) {
      if (value.isString() && each.name().toLowerCase(Locale.ROOT).equals(value.asString())) {
        return each;
      }
    }
    throw bad(
        key,
        "is " + shown(value),
        Arrays.stream(allowed)
            .map(e -> e.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(", ", "one of ", " is needed")));
  }

  /** The objects in the list {@code key}. */
  List<StrictNode> children(String key) {
    JsonNode value = need(key);
    if (!value.isArray()) {
      throw bad(key, "is " + shown(value), "a list is needed");
    }
    List<StrictNode> children = new ArrayList<>();
    for (JsonNode element : value) {
      children.add(new StrictNode(source, "%s[%d]".formatted(at(key), children.size()), element));
    }
    return children;
  }
}
