package dev.wukong.graph;

/** The graph in an ONNX file, for tests of other packages. */
public final class FileGraph {
  private FileGraph() {}

  public static Graph of(byte[] file) {
    return OnnxReader.read(file).graph();
  }
}
