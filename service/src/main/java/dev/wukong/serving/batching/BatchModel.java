package dev.wukong.serving.batching;

import dev.wukong.serving.embedding.PreparedRows;
import java.util.List;

/** One version of a model, as a batch sees it: parts of one batch all have the same one. */
public interface BatchModel {
  /** Outputs a candidate. */
  int tasks();

  /**
   * Scores the candidates of {@code parts}, one after another. Called by the batch thread only,
   * which holds a lease of the model.
   *
   * @return valid until the next call
   */
  BatchScores run(List<PreparedRows> parts);
}
