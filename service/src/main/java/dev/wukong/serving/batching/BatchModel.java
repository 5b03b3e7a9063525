package dev.wukong.serving.batching;

import java.util.List;
import java.util.function.Consumer;

/** One version of a model, as a batch sees it: parts of one batch all have the same one. */
public interface BatchModel {
  /** Outputs a candidate. */
  int tasks();

  /** What batches of it cost. */
  BatchCost cost();

  /**
   * Scores the candidates of {@code parts}, one after another. Called by a batch thread, which
   * holds a lease of the model.
   *
   * @param scores is given the results, which are valid while it runs
   */
  void run(List<? extends PartInputs> parts, Consumer<BatchScores> scores);
}
