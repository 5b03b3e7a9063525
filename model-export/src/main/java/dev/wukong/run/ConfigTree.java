package dev.wukong.run;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.Schema;
import dev.wukong.data.SchemaYaml;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A configuration as it is written, before it is read: what {@code key.key} overrides apply to.
 * Whole in itself: a schema file that it names has been taken in. Not changed once made.
 *
 * @param path what errors begin with
 */
public record ConfigTree(String path, ObjectNode tree) {
  private static final String FOLDER = "/configs/";

  private static final String SCHEMA_NAME = "[a-z0-9_]+-schema[.]yaml";

  /** The configurations that ship with the program. */
  public static final List<String> SHIPPED =
      List.of(
          "criteo",
          "criteo-paper",
          "frappe",
          "frappe-afn",
          "frappe-autoint",
          "frappe-dcnv2",
          "frappe-dlrm",
          "frappe-finalmlp",
          "frappe-masknet",
          "frappe-xdeepfm",
          "kuaivideo",
          "microvideo",
          "ml100k",
          "scaling",
          "taobaoads");

  /**
   * A file, or a configuration that ships with the program.
   *
   * @param source a path, or a name such as {@code frappe}
   */
  public static ConfigTree read(String source) {
    Path file = Path.of(source);
    return Files.isRegularFile(file) ? of(file) : shipped(source);
  }

  private static ConfigTree of(Path file) {
    Section root = Section.read(file);
    return whole(root, name -> schema(file.resolveSibling(name), name));
  }

  /** A schema file; where there is none, the one of that name that ships with the program. */
  private static Schema schema(Path file, String name) {
    boolean ships =
        name.matches(SCHEMA_NAME) && ConfigTree.class.getResource(FOLDER + name) != null;
    return ships && !Files.exists(file)
        ? SchemaYaml.parse(resource(name), name)
        : SchemaYaml.read(file);
  }

  static ConfigTree shipped(String name) {
    if (!name.matches("[a-z0-9_-]+")
        || ConfigTree.class.getResource(FOLDER + name + ".yaml") == null) {
      throw new ConfigException(
          "there is no configuration file '"
              + name
              + "' and none of that name ships with the program ("
              + String.join(", ", SHIPPED)
              + ")");
    }
    Section root = Section.parse(name + ".yaml:", resource(name + ".yaml"));
    return whole(root, schema -> SchemaYaml.parse(resource(schema), schema));
  }

  private static String resource(String file) {
    try (InputStream in = ConfigTree.class.getResourceAsStream(FOLDER + file)) {
      if (in == null) {
        throw new ConfigException("no file '" + file + "' ships with the program");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new ConfigException(file + " cannot be read: " + e.getMessage());
    }
  }

  /** Takes the schema in that {@code root} names as a file. */
  private static ConfigTree whole(Section root, Function<String, Schema> schemas) {
    ObjectNode tree = root.tree();
    if (root.has("schema_file")) {
      if (root.has("schema")) {
        throw new ConfigException(root.path() + " has schema and schema_file, want one of them");
      }
      Schema schema = schemas.apply(root.text("schema_file"));
      tree.remove("schema_file");
      tree.set("schema", schema.toJson());
    }
    return new ConfigTree(root.path(), tree);
  }

  /**
   * This tree with other values.
   *
   * @param values by dotted key, such as {@code model.embedding.width}; null takes a key out; keys
   *     that nobody knows are refused when the configuration is read
   * @throws ConfigException where a key leads through a value that is no mapping
   */
  public ConfigTree with(Map<String, JsonNode> values) {
    ObjectNode changed = tree.deepCopy();
    values.forEach((key, value) -> set(changed, key, value));
    return new ConfigTree(path, changed);
  }

  private void set(ObjectNode root, String key, JsonNode value) {
    String[] steps = key.split("\\.", -1);
    ObjectNode at = root;
    for (int i = 0; i < steps.length - 1; i++) {
      JsonNode next = at.get(steps[i]);
      if (next == null || next.isNull()) {
        at = at.putObject(steps[i]);
      } else if (next instanceof ObjectNode mapping) {
        at = mapping;
      } else {
        String reached = String.join(".", Arrays.copyOf(steps, i + 1));
        throw new ConfigException(
            "%s '%s' cannot be set: %s is %s, want a mapping of keys to values"
                .formatted(path, key, reached, next));
      }
    }
    if (steps[steps.length - 1].isEmpty()) {
      throw new ConfigException(path + " '" + key + "' is no key, want one such as model.layers");
    }
    String last = steps[steps.length - 1];
    if (value.isNull()) {
      at.remove(last);
    } else {
      at.set(last, value.deepCopy());
    }
  }

  /** The configuration that it says. */
  public RunConfig config() {
    return RunConfig.of(Section.of(path, tree));
  }
}
