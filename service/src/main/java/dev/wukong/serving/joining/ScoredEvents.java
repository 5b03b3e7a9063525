package dev.wukong.serving.joining;

import dev.wukong.serving.events.ScoredRequest;
import org.jspecify.annotations.Nullable;

/** Finds predictions that were logged. */
@FunctionalInterface
public interface ScoredEvents {
  /**
   * The request that was scored at {@code position} of the log; null where it is no more. Its
   * arrays are just as long as its rows need, for that says how wide a row is.
   */
  @Nullable ScoredRequest at(long position);
}
