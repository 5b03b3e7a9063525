package dev.wukong.graph;

import java.util.Map;

/**
 * For which of ONNX Runtime's providers a graph is written, where the same meaning needs different
 * operators.
 */
public enum Lowering {
  /**
   * ScatterAdd becomes ScatterElements: the provider's ScatterND with reduction races on repeated
   * indices when it runs on several threads. Products of half precision are computed in single
   * precision: the provider's own take a hundred times as long, number by number. Layer
   * normalization becomes steps, of a matrix with products in place of means.
   */
  CPU,
  /**
   * ScatterAdd becomes ScatterND, which is atomic there. A graph without it is the same for any
   * provider.
   */
  CUDA;

  /**
   * A model's file with all its weights inside, written for any provider, as it is for this one.
   *
   * @throws OnnxReadException where it has what the operators here cannot say
   */
  public byte[] of(byte[] file) {
    OnnxReader.Model read = OnnxReader.read(file);
    return OnnxWriter.write(read.graph(), this, Map.of(), read.metadata()).toByteArray();
  }
}
