package dev.wukong.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * One mapping of a YAML file. Values are asked for by key; {@link #done} refuses the keys that
 * nobody asked for, so that a misspelt option is an error and not a default.
 */
public final class Section {
  private static final long MAX_FILE_BYTES = 16 << 20;

  /** Characters of a wrong value that a message shows. */
  private static final int MOST_SHOWN = 60;

  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m|h|)");

  private final String path;
  private final JsonNode node;
  private final Set<String> asked = new LinkedHashSet<>();

  private Section(String path, JsonNode node) {
    this.path = path;
    this.node = node;
  }

  /**
   * The mapping at the top of {@code file}.
   *
   * @throws ConfigException where it is missing, too large, not YAML or not a mapping
   */
  public static Section read(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new ConfigException("configuration file '" + file + "' does not exist");
      }
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw new ConfigException(
            "configuration file '" + file + "' is larger than " + MAX_FILE_BYTES + " bytes");
      }
      return parse(file.getFileName() + ":", Files.readString(file));
    } catch (CharacterCodingException e) {
      throw new ConfigException("configuration file '" + file + "' is not text in UTF-8");
    } catch (IOException e) {
      throw new ConfigException(
          "configuration file '" + file + "' cannot be read: " + e.getMessage());
    }
  }

  /**
   * The mapping at the top of {@code yaml}, whose errors begin with {@code path}.
   *
   * @throws ConfigException where it is not YAML, not a mapping, or has a key twice
   */
  public static Section parse(String path, String yaml) {
    try {
      return of(path, YAML.readTree(yaml));
    } catch (JacksonException e) {
      throw new ConfigException(path + " " + YamlErrors.describe(e));
    }
  }

  /** {@code node} as a section whose errors begin with {@code path}. */
  public static Section of(String path, @Nullable JsonNode node) {
    if (node == null || node.isNull() || node.isMissingNode()) {
      return new Section(path, JsonNodeFactory.instance.objectNode());
    }
    if (!node.isObject()) {
      throw new ConfigException(path + " is " + brief(node) + ", want a mapping of keys to values");
    }
    return new Section(path, node);
  }

  /** A file that is no configuration, named by mistake, is not printed whole. */
  private static String brief(JsonNode node) {
    String text = node.toString();
    return text.length() <= MOST_SHOWN ? text : text.substring(0, MOST_SHOWN) + "...";
  }

  public boolean has(String key) {
    asked.add(key);
    return node.has(key);
  }

  public String path() {
    return path;
  }

  /** All that it says, copied. */
  public ObjectNode tree() {
    return (ObjectNode) node.deepCopy();
  }

  /** Its keys in the order in which they are written. */
  public List<String> keys() {
    return List.copyOf(node.propertyNames());
  }

  /** A list of mappings, each a section of its own; empty where {@code key} is absent. */
  public List<Section> sections(String key) {
    JsonNode value = raw(key).orElse(null);
    if (value == null) {
      return List.of();
    }
    if (!value.isArray()) {
      throw new ConfigException(at(key) + " is " + value + ", want a list of mappings");
    }
    List<Section> result = new ArrayList<>();
    for (JsonNode item : value) {
      String place = at(key) + "[" + result.size() + "]";
      if (!item.isObject()) {
        throw new ConfigException(place + " is " + item + ", want a mapping of keys to values");
      }
      result.add(new Section(place, item));
    }
    return List.copyOf(result);
  }

  /** The raw value of {@code key}, which counts as asked for. */
  public Optional<JsonNode> raw(String key) {
    asked.add(key);
    return Optional.ofNullable(node.get(key));
  }

  /** The section under {@code key}, empty where it is absent. */
  public Section section(String key) {
    JsonNode value = raw(key).orElse(null);
    if (value != null && value.isNull()) {
      // Its mere presence means something to some keys, and nothing may mean two things.
      throw new ConfigException(
          at(key) + " is null, want a mapping of keys to values or no such key");
    }
    return of(at(key), value);
  }

  public int integer(String key, int otherwise, int min, int max) {
    JsonNode value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    if (!within(value, min, max)) {
      throw new ConfigException(
          at(key) + " is " + value + ", want a whole number from " + min + " to " + max);
    }
    return value.intValue();
  }

  private static boolean within(JsonNode value, int min, int max) {
    return value.isIntegralNumber()
        && value.canConvertToLong()
        && value.longValue() >= min
        && value.longValue() <= max;
  }

  public double number(String key, double otherwise, double min, double max) {
    JsonNode value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    double number = value.isNumber() ? value.doubleValue() : parsed(value);
    if (!(number >= min && number <= max)) {
      throw new ConfigException(
          at(key) + " is " + value + ", want a number from " + min + " to " + max);
    }
    return number;
  }

  // YAML reads 1e-3 as a string: its numbers want a point.
  private static double parsed(JsonNode value) {
    try {
      return value.isString() ? Double.parseDouble(value.stringValue()) : Double.NaN;
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  /** A duration from 0 to {@code max}: a whole number and ms, s, m or h, such as 10m; or 0. */
  public Duration duration(String key, Duration otherwise, Duration max) {
    JsonNode value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    Matcher written = DURATION.matcher(value.isString() ? value.stringValue() : value.toString());
    if (written.matches()) {
      long count = Long.parseLong(written.group(1));
      Duration duration =
          switch (written.group(2)) {
            case "h" -> Duration.ofHours(count);
            case "m" -> Duration.ofMinutes(count);
            case "s" -> Duration.ofSeconds(count);
            default -> Duration.ofMillis(count);
          };
      // A bare number has no unit: only 0 needs none.
      if ((count == 0 || !written.group(2).isEmpty()) && duration.compareTo(max) <= 0) {
        return duration;
      }
    }
    throw new ConfigException(
        at(key)
            + " is "
            + value
            + ", want 0 or a duration of at most "
            + max.toHours()
            + "h such as 90s, 10m or 2h");
  }

  public boolean flag(String key, boolean otherwise) {
    JsonNode value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    if (!value.isBoolean()) {
      throw new ConfigException(at(key) + " is " + value + ", want true or false");
    }
    return value.booleanValue();
  }

  public String text(String key, String otherwise) {
    JsonNode value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    if (!value.isString() || value.stringValue().isBlank()) {
      throw new ConfigException(at(key) + " is " + value + ", want text");
    }
    return value.stringValue();
  }

  /** A required text. */
  public String text(String key) {
    if (!has(key)) {
      throw new ConfigException(at(key) + " is missing");
    }
    return text(key, "");
  }

  /** One of an enum's constants, in lower case and with underscores. */
  public <E extends Enum<E>> E choice(String key, E otherwise) {
    String value = text(key, name(otherwise));
    for (E constant : otherwise.getDeclaringClass().getEnumConstants()) {
      if (name(constant).equals(value)) {
        return constant;
      }
    }
    String allowed =
        Stream.of(otherwise.getDeclaringClass().getEnumConstants())
            .map(Section::name)
            .collect(Collectors.joining(", "));
    throw new ConfigException(at(key) + " is '" + value + "', want one of " + allowed);
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  /** A list of whole numbers, each from {@code min} to {@code max}. */
  public List<Integer> integers(String key, List<Integer> otherwise, int min, int max) {
    JsonNode value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    List<Integer> result = new ArrayList<>();
    if (value.isArray()) {
      for (JsonNode item : value) {
        if (!within(item, min, max)) {
          throw new ConfigException(
              at(key) + " has " + item + ", want whole numbers from " + min + " to " + max);
        }
        result.add(item.intValue());
      }
      return List.copyOf(result);
    }
    throw new ConfigException(
        at(key) + " is " + value + ", want a list of whole numbers such as [512, 256]");
  }

  /** A list of texts, empty where there is none. */
  public List<String> texts(String key) {
    List<String> result = new ArrayList<>();
    JsonNode value = raw(key).orElse(null);
    if (value != null && !value.isArray()) {
      throw new ConfigException(at(key) + " is " + value + ", want a list such as [user, item]");
    }
    if (value != null) {
      for (JsonNode item : value) {
        if (!item.isString()) {
          throw new ConfigException(at(key) + " has " + item + ", want texts");
        }
        result.add(item.asString());
      }
    }
    return List.copyOf(result);
  }

  /** A mapping from names to whole numbers. */
  public Map<String, Integer> integersByName(String key, int min, int max) {
    Section inner = section(key);
    Map<String, Integer> result = new LinkedHashMap<>();
    for (String name : inner.node.propertyNames()) {
      result.put(name, inner.integer(name, min, min, max));
    }
    return result;
  }

  /** Refuses keys that were never asked for. */
  public void done() {
    for (String key : node.propertyNames()) {
      if (!asked.contains(key)) {
        throw new ConfigException(
            at(key) + " is not known, want one of " + String.join(", ", asked));
      }
    }
  }

  private String at(String key) {
    return path.endsWith(":") ? path + " " + key : path + "." + key;
  }
}
