package dev.wukong.data;

import dev.wukong.config.YamlErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Schema files, in YAML. */
public final class SchemaYaml {
  private static final long MAX_BYTES = 16 << 20;
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z][A-Za-z0-9_.-]*");
  private static final Pattern RESERVED = Pattern.compile("(?i)y|n|yes|no|on|off|true|false|null");

  private SchemaYaml() {}

  /**
   * Reads the schema in {@code file}.
   *
   * @throws DataException if it is missing or not a schema; the message names the path, the value
   *     and what is allowed
   */
  public static Schema read(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new DataException(file + " is not a file");
      }
      if (Files.size(file) > MAX_BYTES) {
        throw new DataException(
            "%s has %d bytes; a schema of up to %d is allowed"
                .formatted(file, Files.size(file), MAX_BYTES));
      }
      return parse(Files.readString(file), file.toString());
    } catch (IOException e) {
      throw TextFiles.unreadable(file, e);
    }
  }

  /** Reads the schema in {@code yaml}; {@code source} is its name in messages. */
  public static Schema parse(String yaml, String source) {
    try {
      YAMLMapper mapper =
          YAMLMapper.builder()
              .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
              .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
              .build();
      JsonNode root = mapper.readTree(yaml);
      if (root.isMissingNode() || root.isNull()) {
        throw new DataException(source + " is empty");
      }
      return SchemaReader.read(root, source);
    } catch (JacksonException e) {
      throw new DataException(source + ", " + YamlErrors.describe(e), e);
    }
  }

  /** The schema as YAML, one line a feature. */
  public static String write(Schema schema) {
    return write(schema, Map.of());
  }

  /**
   * The schema as YAML, with a comment before each feature or task that {@code comments} has by
   * name.
   */
  static String write(Schema schema, Map<String, String> comments) {
    ObjectNode root = schema.toJson();
    StringBuilder text = new StringBuilder();
    text.append("name: ").append(scalar(root.get("name"))).append('\n');
    for (String list : new String[] {"features", "tasks"}) {
      JsonNode entries = root.get(list);
      text.append(list).append(entries.isEmpty() ? ": []\n" : ":\n");
      for (JsonNode entry : entries) {
        String comment = comments.get(list + "." + entry.get("name").asString());
        if (comment != null) {
          text.append("  # ").append(comment).append('\n');
        }
        text.append("  - {");
        String between = "";
        for (Map.Entry<String, JsonNode> property : entry.properties()) {
          text.append(between).append(property.getKey()).append(": ");
          text.append(scalar(property.getValue()));
          between = ", ";
        }
        text.append("}\n");
      }
    }
    return text.toString();
  }

  /** A text that needs no quotes, else JSON, which YAML contains. */
  private static String scalar(JsonNode value) {
    if (value.isString()
        && PLAIN.matcher(value.asString()).matches()
        && !RESERVED.matcher(value.asString()).matches()) {
      return value.asString();
    }
    return value.toString();
  }
}
