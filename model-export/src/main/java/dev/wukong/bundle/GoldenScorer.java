package dev.wukong.bundle;

import dev.wukong.data.EncodedRows;

/** Runs a predict graph with the bundle's own rows, wherever that is done. */
@FunctionalInterface
public interface GoldenScorer {
  /**
   * Probabilities [B, tasks], row-major.
   *
   * @param contextOf for each candidate its context; empty where the schema has no context features
   * @throws Exception whatever the engine throws; the check wraps it
   */
  float[] probabilities(EncodedRows context, EncodedRows candidate, int[] contextOf)
      throws Exception;
}
