package dev.wukong.serving.retraining;

import org.jspecify.annotations.Nullable;

/** Says when this process is to train a model: always, or while no other does. Any thread. */
@FunctionalInterface
public interface Turns {
  /** The turn of this process; null while it has none. */
  @Nullable Turn now();
}
