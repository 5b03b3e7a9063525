package dev.wukong.data;

/**
 * What the graph does to a number before the model sees it. It is part of the exported graph, so it
 * cannot differ in serving.
 */
public enum Transform {
  NONE,
  /** sign(x) log(1 + |x|). */
  LOG1P
}
