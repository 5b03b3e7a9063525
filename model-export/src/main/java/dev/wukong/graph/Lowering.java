package dev.wukong.graph;

/**
 * For which of ONNX Runtime's providers a graph is written, where the same meaning needs different
 * operators.
 */
public enum Lowering {
  /**
   * ScatterAdd becomes ScatterElements: the provider's ScatterND with reduction races on repeated
   * indices when it runs on several threads.
   */
  CPU,
  /** ScatterAdd becomes ScatterND, which is atomic there. */
  CUDA
}
