package dev.wukong.graph;

/** Element types, with their numbers in the ONNX format. */
public enum DataType {
  FLOAT(1, 4),
  UINT8(2, 1),
  INT32(6, 4),
  INT64(7, 8),
  BOOL(9, 1),
  FLOAT16(10, 2),
  DOUBLE(11, 8);

  private final int onnx;
  private final int bytes;

  DataType(int onnx, int bytes) {
    this.onnx = onnx;
    this.bytes = bytes;
  }

  public int onnx() {
    return onnx;
  }

  public int bytes() {
    return bytes;
  }

  public boolean floating() {
    return switch (this) {
      case FLOAT, FLOAT16, DOUBLE -> true;
      case UINT8, INT32, INT64, BOOL -> false;
    };
  }

  /**
   * The type with ONNX number {@code onnx}.
   *
   * @throws IllegalArgumentException for a type that no operator here works on
   */
  public static DataType ofOnnx(int onnx) {
    for (DataType type : values()) {
      if (type.onnx == onnx) {
        return type;
      }
    }
    throw new IllegalArgumentException(
        "element type "
            + onnx
            + " is not one of float, uint8, int32, int64, bool, float16, double");
  }
}
