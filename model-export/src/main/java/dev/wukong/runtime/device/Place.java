package dev.wukong.runtime.device;

/**
 * Where an input or an output of a graph lies.
 *
 * @param name in the graph
 * @param shape its product times the bytes of an element is no more than the buffer has
 */
@SuppressWarnings("ArrayRecordComponent") // Made to bind a graph, never compared.
public record Place(String name, Element element, long[] shape, DeviceBuffer buffer) {
  public Place {
    buffer = buffer.first(bytes(element, shape));
  }

  /** Bytes that a tensor takes. */
  public static long bytes(Element element, long... shape) {
    long bytes = element.bytes();
    for (long dimension : shape) {
      bytes = Math.multiplyExact(bytes, dimension);
    }
    return bytes;
  }
}
