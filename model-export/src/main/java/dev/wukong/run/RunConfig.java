package dev.wukong.run;

import dev.wukong.bundle.BundleStore;
import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Schema;
import dev.wukong.data.Table;
import dev.wukong.data.Task;
import dev.wukong.metrics.Measure;
import dev.wukong.metrics.Watch;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.training.TrainingConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * One YAML file that says everything about a training: {@code name}, {@code data}, {@code schema},
 * {@code model}, {@code training}.
 *
 * @param name the model's name in the bundle root
 * @param data where examples come from
 * @param trainingJson {@code training} as it was written
 */
public record RunConfig(
    String name,
    DataConfig data,
    Schema schema,
    RankerConfig model,
    TrainingConfig training,
    JsonNode trainingJson) {

  /**
   * Reads a file, or a configuration that ships with the program.
   *
   * @param source a path, or a name such as {@code frappe}
   */
  public static RunConfig read(String source) {
    return ConfigTree.read(source).config();
  }

  /** The configuration {@code name} that ships with the program, for data whose schema is known. */
  public static RunConfig shipped(String name, Schema schema) {
    ConfigTree shipped = ConfigTree.shipped(name);
    return of(Section.of(shipped.path(), shipped.tree()), schema);
  }

  /** The same with another limit of epochs: for trials. */
  public RunConfig withEpochs(int epochs) {
    if (epochs < 1) {
      throw new ConfigException("epochs is " + epochs + ", want at least 1");
    }
    return new RunConfig(name, data, schema, model, training.withEpochs(epochs), trainingJson);
  }

  static RunConfig of(Section root) {
    return of(root, null);
  }

  private static RunConfig of(Section root, @Nullable Schema given) {
    String name = root.text("name");
    if (!BundleStore.isModel(name)) {
      throw new ConfigException(
          root.path() + " name is '" + name + "', want 1 to 64 of a-z, 0-9, _ and -");
    }
    DataConfig data = DataConfig.read(root.section("data"));
    Schema schema = given != null ? given : schema(root, data);
    Section model = root.section("model");
    Section training = root.section("training");
    RunConfig result =
        new RunConfig(
            name,
            data,
            schema,
            RankerConfig.read(model),
            TrainingConfig.read(training),
            root.raw("training").orElse(JsonNodeFactory.instance.objectNode()));
    root.done();
    result.checkTasks(root.path());
    result.checkPlateau(root.path());
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

  private void checkPlateau(String path) {
    Watch watch = new Watch(training.plateau().watch());
    List<String> tasks = schema.tasks().stream().map(Task::name).toList();
    if (!watch.isMean() && !tasks.contains(watch.task())) {
      throw new ConfigException(
          "%s training.plateau.watch is '%s', want %s or a task: %s"
              .formatted(path, watch.task(), Watch.MEAN, String.join(", ", tasks)));
    }
    TrainingConfig.PlateauConfig plateau = training.plateau();
    boolean asks = plateau.restore() || plateau.measure() != Measure.AUC || !watch.isMean();
    if (asks && !data.hasValid()) {
      throw new ConfigException(
          "%s training.plateau asks what an epoch gained, want data.valid, too: only validation data tells"
              .formatted(path));
    }
  }

  private static Schema schema(Section root, DataConfig data) {
    return switch (data) {
      case DataConfig.Simulated simulated -> {
        if (root.has("schema")) {
          throw new ConfigException(
              root.path() + " schema is given, want none: a simulator has its own");
        }
        yield Worlds.schema(simulated);
      }
      case DataConfig.Files _ ->
          Schema.fromJson(
              root.raw("schema")
                  .orElseThrow(
                      () ->
                          new ConfigException(
                              root.path() + " schema is missing, want schema or schema_file")),
              root.path() + " schema");
    };
  }
}
