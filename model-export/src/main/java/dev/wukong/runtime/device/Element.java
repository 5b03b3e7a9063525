package dev.wukong.runtime.device;

/** The types of a tensor's elements that cross the border of a graph. */
public enum Element {
  FLOAT32(1, 4),
  INT32(6, 4),
  INT64(7, 8),
  BOOL(9, 1),
  FLOAT16(10, 2),
  BFLOAT16(16, 2);

  private final int number;
  private final int bytes;

  Element(int number, int bytes) {
    this.number = number;
    this.bytes = bytes;
  }

  /** ONNX's number for it. */
  int number() {
    return number;
  }

  /** Bytes an element takes. */
  public int bytes() {
    return bytes;
  }
}
