package dev.wukong.cli;

import dev.wukong.bundle.BundleStore;
import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.FileFormat;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Schema;
import dev.wukong.data.SchemaYaml;
import dev.wukong.data.Table;
import dev.wukong.data.Task;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.training.TrainingConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

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
  private static final List<String> SHIPPED =
      List.of(
          "criteo",
          "frappe",
          "frappe-afn",
          "frappe-autoint",
          "frappe-dcnv2",
          "frappe-dlrm",
          "frappe-finalmlp",
          "frappe-masknet",
          "frappe-xdeepfm");

  /**
   * Reads a file, or a configuration that ships with the program.
   *
   * @param source a path, or a name such as {@code frappe}
   */
  public static RunConfig read(String source) {
    Path file = Path.of(source);
    return Files.isRegularFile(file)
        ? of(Section.read(file), file.toAbsolutePath().getParent(), null)
        : of(shipped(source), null, null);
  }

  /** The configuration {@code name} that ships with the program, for data whose schema is known. */
  public static RunConfig shipped(String name, Schema schema) {
    return of(shipped(name), null, schema);
  }

  /** The same with another limit of epochs: for trials. */
  public RunConfig withEpochs(int epochs) {
    if (epochs < 1) {
      throw new ConfigException("epochs is " + epochs + ", want at least 1");
    }
    return new RunConfig(
        name,
        train,
        valid,
        test,
        format,
        schema,
        model,
        training.withEpochs(epochs),
        modelJson,
        trainingJson);
  }

  private static Section shipped(String name) {
    if (!name.matches("[a-z0-9_-]+")
        || RunConfig.class.getResource("/configs/" + name + ".yaml") == null) {
      throw new ConfigException(
          "there is no configuration file '"
              + name
              + "' and none of that name ships with the program ("
              + String.join(", ", SHIPPED)
              + ")");
    }
    return Section.parse(name + ".yaml:", resource(name + ".yaml"));
  }

  private static String resource(String file) {
    try (InputStream in = RunConfig.class.getResourceAsStream("/configs/" + file)) {
      if (in == null) {
        throw new ConfigException("no file '" + file + "' ships with the program");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new ConfigException(file + " cannot be read: " + e.getMessage());
    }
  }

  private static RunConfig of(Section root, @Nullable Path folder, @Nullable Schema given) {
    String name = root.text("name");
    if (!BundleStore.isModel(name)) {
      throw new ConfigException(
          root.path() + " name is '" + name + "', want 1 to 64 of a-z, 0-9, _ and -");
    }
    Section data = root.section("data");
    String train = data.text("train");
    Optional<String> valid = optional(data, "valid");
    Optional<String> test = optional(data, "test");
    Optional<String> format = optional(data, "format");
    format.ifPresent(FileFormat::named);
    data.done();
    Schema schema = given != null ? given : schema(root, folder);
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
            root.raw("model").orElse(JsonNodeFactory.instance.objectNode()),
            root.raw("training").orElse(JsonNodeFactory.instance.objectNode()));
    root.done();
    result.checkTasks(root.path());
    result.checkWatch(root.path());
    result.checkModel(root.path());
    return result;
  }

  private void checkTasks(String path) {
    if (schema.tasks().isEmpty()) {
      throw new ConfigException(path + " schema.tasks is empty, want at least one task to train");
    }
  }

  /** What the model says of features is checked now, not when their data has been read. */
  private void checkModel(String path) {
    try {
      InputLayout layout = model.layout(schema);
      for (Table table : layout.tables()) {
        if (training.rows().mode() == TrainingConfig.RowMode.WHOLE_TABLE
            && schema.ofSpace(table.idSpace()).mapping() instanceof IdMapping.Hash hash
            && hash.buckets() == 0) {
          throw new ConfigException(
              "training.rows.mode is 'whole_table', want 'touched': id space '"
                  + table.idSpace()
                  + "' is hashed without a bound and cannot be enumerated");
        }
      }
    } catch (IllegalArgumentException e) {
      throw new ConfigException(path + " " + e.getMessage());
    }
  }

  private void checkWatch(String path) {
    String watch = training.plateau().watch();
    List<String> tasks = schema.tasks().stream().map(Task::name).toList();
    if (!watch.equals(TrainingConfig.PlateauConfig.MEAN) && !tasks.contains(watch)) {
      throw new ConfigException(
          "%s training.plateau.watch is '%s', want %s or a task: %s"
              .formatted(path, watch, TrainingConfig.PlateauConfig.MEAN, String.join(", ", tasks)));
    }
  }

  private static Schema schema(Section root, @Nullable Path folder) {
    if (root.has("schema_file")) {
      String name = root.text("schema_file");
      return folder == null
          ? SchemaYaml.parse(resource(name), name)
          : SchemaYaml.read(folder.resolve(name));
    }
    return Schema.fromJson(
        root.raw("schema")
            .orElseThrow(
                () ->
                    new ConfigException(
                        root.path() + " schema is missing, want schema or schema_file")),
        root.path() + " schema");
  }

  private static Optional<String> optional(Section section, String key) {
    return section.has(key) ? Optional.of(section.text(key)) : Optional.empty();
  }

  /** The format of {@code file}, as configured or by its name. */
  public FileFormat format(Path file) {
    return format.map(FileFormat::named).orElseGet(() -> FileFormat.guess(file));
  }
}
