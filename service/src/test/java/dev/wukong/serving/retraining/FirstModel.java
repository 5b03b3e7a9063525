package dev.wukong.serving.retraining;

import dev.wukong.config.Section;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.run.DataConfig;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Splits;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import dev.wukong.training.TrainingConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.node.JsonNodeFactory;

/** The model that a loop begins with: trained on what was before, as anyone trains one. */
final class FirstModel {
  /** The quickstart's model, trained for some epochs less. */
  static final String QUICKSTART =
      """
      model:
        type: wukong
        embedding: {width: 16, deviation: 0.01, bottom: {hidden: [32]}}
        layers: 2
        fm_embeddings: 8
        linear_embeddings: 8
        rank: 8
        fm: low_rank
        fm_mlp: {hidden: [64]}
        head: {hidden: [64]}
      training:
        batch: 1024
        epochs: 6
        seed: 7
        threads: 1
        dense: {optimizer: adam, learning_rate: 0.002}
        rows: {mode: whole_table, optimizer: adam, learning_rate: 0.002, l2: 0.003}
        clip_norm: 10
        warm_up: 100
        plateau: {factor: 0.5, stop_after: 2, watch: mean}
      """;

  private FirstModel() {}

  /**
   * Trains and exports one.
   *
   * @param text YAML of {@code model} and {@code training}
   * @param folder a new folder of its own is made in it
   * @return the bundle's folder
   */
  static Path train(
      String name,
      String text,
      Schema schema,
      Supplier<RowSource> train,
      Supplier<RowSource> valid,
      Path folder)
      throws IOException {
    Section root = Section.parse(name, text);
    RunConfig config =
        new RunConfig(
            name,
            new DataConfig.Files(
                "before",
                Optional.of("before"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()),
            schema,
            RankerConfig.read(root.section("model")),
            TrainingConfig.read(root.section("training")),
            root.raw("training").orElse(JsonNodeFactory.instance.objectNode()));
    Splits splits =
        new Splits(
            train, Optional.of(valid), Optional.empty(), List.of("before"), Optional.empty());
    Path work = Files.createTempDirectory(Files.createDirectories(folder), "first");
    return new Training(config, new Device.Cpu(), new PrintWriter(PrintWriter.nullWriter()), false)
        .run(splits, work.resolve("work"), work.resolve("bundles"), "benchmark")
        .orElseThrow()
        .bundle();
  }
}
