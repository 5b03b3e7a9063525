package dev.wukong.fuzzing;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.training.TrainingConfig;
import java.util.List;

/** Configurations of runs. */
public final class ConfigTargets implements FuzzTargets {
  @Override
  public List<FuzzTarget> targets() {
    return List.of(
        new FuzzTarget(
            "config",
            ConfigException.class,
            () ->
                List.of(
                    FuzzTarget.text(
                        """
                        batch: 100
                        threads: 1
                        epochs: 2
                        dense: {optimizer: adam, learning_rate: 0.003}
                        rows: {mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.05}
                        """)),
            input -> {
              Section section = Section.parse("a file", FuzzTarget.text(input));
              TrainingConfig _ = TrainingConfig.read(section);
              section.done();
            }));
  }
}
