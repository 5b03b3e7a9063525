package dev.wukong.data;

/**
 * How the rows of a feature with several ids become one embedding. Weights, where the feature has
 * them, multiply each row first.
 */
public enum Pooling {
  SUM,
  /**
   * The sum divided by the number of filled positions (by the sum of the weights where the feature
   * is weighted).
   */
  MEAN
}
