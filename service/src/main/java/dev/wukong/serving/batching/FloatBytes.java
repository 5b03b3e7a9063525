package dev.wukong.serving.batching;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Little-endian float32 in bytes, as results travel. Stateless. */
public final class FloatBytes {
  private static final ValueLayout.OfInt BITS =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int MAGNITUDE = 0x7FFFFFFF;

  /** The magnitude of infinity; those of NaN lie above, those of numbers below. */
  private static final int INFINITY = 0x7F800000;

  private FloatBytes() {}

  /**
   * The index of the first of {@code count} floats, from the one with index {@code from}, that is
   * NaN or infinite; -1 where all are finite.
   */
  public static int notFinite(byte[] floats, int from, int count) {
    MemorySegment bytes = MemorySegment.ofArray(floats);
    // One pass without a branch for the usual case; only then is the place looked for.
    int largest = 0;
    for (int i = from; i < from + count; i++) {
      largest = Math.max(largest, bytes.get(BITS, (long) i * Float.BYTES) & MAGNITUDE);
    }
    if (largest < INFINITY) {
      return -1;
    }
    int at = from;
    while ((bytes.get(BITS, (long) at * Float.BYTES) & MAGNITUDE) < INFINITY) {
      at++;
    }
    return at;
  }
}
