package dev.wukong.serving.hosting;

import java.nio.ByteBuffer;

/**
 * A graph's input or output in host memory.
 *
 * @param bytes direct, native order, from position 0 to limit
 * @param shape its product times the bytes of an element is the limit
 */
@SuppressWarnings("ArrayRecordComponent") // Made for one run, never compared.
record HostTensor(String name, ElementType type, ByteBuffer bytes, long[] shape) {
  /** What the elements are. */
  enum ElementType {
    FLOAT32(4),
    FLOAT16(2),
    INT32(4);

    private final int bytes;

    ElementType(int bytes) {
      this.bytes = bytes;
    }

    /** Bytes an element takes. */
    int bytes() {
      return bytes;
    }
  }
}
