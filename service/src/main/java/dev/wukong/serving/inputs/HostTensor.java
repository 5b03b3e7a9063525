package dev.wukong.serving.inputs;

import dev.wukong.runtime.device.Element;
import java.nio.ByteBuffer;

/**
 * A graph's input or output in host memory.
 *
 * @param bytes direct, native order, from position 0 to limit
 * @param shape its product times the bytes of an element is the limit
 */
@SuppressWarnings("ArrayRecordComponent") // Made for one run, never compared.
public record HostTensor(String name, Element type, ByteBuffer bytes, long[] shape) {
  /** The tensor of {@code shape} at the start of {@code buffer}. */
  public static HostTensor of(String name, Element type, GrowingBuffer buffer, long... shape) {
    long bytes = type.bytes();
    for (long dimension : shape) {
      bytes *= dimension;
    }
    return new HostTensor(name, type, buffer.view(bytes), shape);
  }
}
