package dev.wukong.serving.hosting;

import java.util.Optional;

/** Which models learn, and how far they have come. Any thread. */
@FunctionalInterface
public interface TrainingStates {
  /** No model learns. */
  TrainingStates NONE = _ -> Optional.empty();

  /** How the training of {@code model} stands; empty where it does not learn. */
  Optional<TrainingState> of(String model);
}
