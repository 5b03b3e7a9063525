package dev.wukong.serving.hosting;

import java.nio.ByteBuffer;

/**
 * A graph's input or output in host memory.
 *
 * @param bytes direct, native order, from position 0 to limit
 * @param shape its product times 4 bytes is the limit
 */
@SuppressWarnings("ArrayRecordComponent") // Made for one run, never compared.
record HostTensor(String name, ElementType type, ByteBuffer bytes, long[] shape) {
  /** Elements of 4 bytes. */
  enum ElementType {
    FLOAT32,
    INT32
  }
}
