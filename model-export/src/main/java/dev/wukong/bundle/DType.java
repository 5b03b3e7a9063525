package dev.wukong.bundle;

/** An element type of a safetensors file; the constants are spelled as in the file. */
public enum DType {
  F64(8),
  F32(4),
  F16(2),
  BF16(2),
  I64(8),
  I32(4),
  I16(2),
  I8(1),
  U64(8),
  U32(4),
  U16(2),
  U8(1),
  BOOL(1);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes an element takes. */
  public int bytes() {
    return bytes;
  }
}
