package dev.wukong.cli;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.FileFormat;
import dev.wukong.data.Schema;
import dev.wukong.data.SchemaYaml;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.training.TrainingConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * One YAML file that says everything about a training: {@code name}, {@code data}, {@code schema},
 * {@code model}, {@code training}.
 *
 * @param name the model's name in the bundle root
 * @param train file names, relative to the data folder
 * @param format empty: told by the file's name
 */
public record RunConfig(
    String name,
    String train,
    Optional<String> valid,
    Optional<String> test,
    Optional<String> format,
    Schema schema,
    RankerConfig model,
    TrainingConfig training,
    JsonNode modelJson,
    JsonNode trainingJson) {

  /**
   * Reads a file, or a configuration that ships with the program.
   *
   * @param source a path, or a name such as {@code frappe}
   */
  public static RunConfig read(String source) {
    Path file = Path.of(source);
    if (Files.isRegularFile(file)) {
      return of(Section.read(file), file.toAbsolutePath().getParent());
    }
    String resource = "/configs/" + source + ".yaml";
    try (InputStream in =
        source.matches("[a-z0-9_-]+") ? RunConfig.class.getResourceAsStream(resource) : null) {
      if (in == null) {
        throw new ConfigException(
            "there is no configuration file '"
                + source
                + "' and none of that name ships with the program (criteo, frappe, quickstart)");
      }
      String yaml = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return of(Section.of(source + ".yaml:", new YAMLMapper().readTree(yaml)), null);
    } catch (IOException e) {
      throw new ConfigException(resource + " cannot be read: " + e.getMessage());
    }
  }

  private static RunConfig of(Section root, @org.jspecify.annotations.Nullable Path folder) {
    String name = root.text("name");
    Section data = root.section("data");
    String train = data.text("train");
    Optional<String> valid = optional(data, "valid");
    Optional<String> test = optional(data, "test");
    Optional<String> format = optional(data, "format");
    format.ifPresent(FileFormat::named);
    data.done();
    Schema schema;
    if (root.has("schema_file")) {
      if (folder == null) {
        throw new ConfigException("schema_file wants a configuration file to be relative to");
      }
      schema = SchemaYaml.read(folder.resolve(root.text("schema_file")));
    } else {
      JsonNode node =
          root.raw("schema")
              .orElseThrow(
                  () ->
                      new ConfigException(
                          root.path() + " schema is missing, want schema or schema_file"));
      schema = Schema.fromJson(node, root.path() + " schema");
    }
    Section model = root.section("model");
    Section training = root.section("training");
    RunConfig result =
        new RunConfig(
            name,
            train,
            valid,
            test,
            format,
            schema,
            RankerConfig.read(model),
            TrainingConfig.read(training),
            root.raw("model").orElseThrow(),
            root.raw("training").orElseThrow());
    root.done();
    return result;
  }

  private static Optional<String> optional(Section section, String key) {
    return section.has(key) ? Optional.of(section.text(key)) : Optional.empty();
  }

  /** The format of {@code file}, as configured or by its name. */
  public FileFormat format(Path file) {
    return format.map(FileFormat::named).orElseGet(() -> FileFormat.guess(file));
  }
}
