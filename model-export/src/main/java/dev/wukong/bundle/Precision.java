package dev.wukong.bundle;

import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxReadException;
import dev.wukong.runtime.Device;
import java.util.Arrays;
import java.util.Locale;

/** The arithmetic of a predict graph: its file in a bundle, and the type that its rows come in. */
public enum Precision {
  /** Single precision: what training computes in. Every bundle has this graph. */
  FP32("predict.onnx", DType.F32),
  /** Half precision; what numbers of that size would spoil is in single precision there too. */
  FP16("predict.fp16.onnx", DType.F16);

  private final String file;
  private final DType rows;

  Precision(String file, DType rows) {
    this.file = file;
    this.rows = rows;
  }

  /** The graph's file. */
  public String file() {
    return file;
  }

  /** The element type of the graph's inputs {@code rows.<group>}. */
  public DType rows() {
    return rows;
  }

  /**
   * {@code graph}, a file of this precision, as a session on {@code device} is to load it.
   *
   * @throws BundleException where it has to be read for that and has what is not known here
   */
  public byte[] on(Device device, byte[] graph) throws BundleException {
    try {
      return switch (device) {
        case Device.Cpu() -> Lowering.CPU.of(graph);
        case Device.Cuda _ -> graph;
      };
    } catch (OnnxReadException e) {
      throw new BundleException("the graph cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The precision named {@code text}, as {@link #toString} names it.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Precision parse(String text) {
    return Arrays.stream(values())
        .filter(p -> p.toString().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "precision is '%s', want one of %s"
                        .formatted(text, Arrays.toString(values()))));
  }

  /** Its name in manifests and settings. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
