package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.run.RunConfig;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small model of simulated clicks that goes on learning. */
final class LearningModel {
  static final String NAME = "learner";
  static final long SEED = 4;

  private LearningModel() {}

  /** Trains it a little and exports it; the root of its bundles. */
  static Path train(Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve(NAME + ".yaml"),
            """
            name: %s
            data: {simulator: {seed: %d, train: 400, valid: 100}}
            model:
              type: wukong
              embedding: {width: 8, deviation: 0.2}
              layers: 2
              fm_mlp: {hidden: [16]}
              head: {hidden: [16]}
            training:
              batch: 100
              threads: 1
              dense: {optimizer: adam, learning_rate: 0.003}
              rows: {mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.05}
            """
                .formatted(NAME, SEED));
    RunConfig config = RunConfig.read(file.toString());
    Path bundles = folder.resolve("bundles");
    Training training =
        new Training(config, new Device.Cpu(), new PrintWriter(Writer.nullWriter()), false);
    assertThat(training.run(training.splits(folder), folder.resolve("work"), bundles, "test"))
        .isPresent();
    return bundles;
  }
}
