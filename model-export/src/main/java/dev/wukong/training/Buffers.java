package dev.wukong.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** Memory for the inputs and outputs whose size follows the batch, made once for the largest. */
final class Buffers {
  private final int maxRows;
  private final Map<String, ByteBuffer> direct = new LinkedHashMap<>();
  private final Map<String, int[]> slots = new LinkedHashMap<>();

  Buffers(int maxRows) {
    this.maxRows = maxRows;
  }

  ByteBuffer bytes(String name, int count) {
    ByteBuffer buffer = direct.get(name);
    if (buffer == null || buffer.capacity() < count) {
      buffer = ByteBuffer.allocateDirect(Math.max(count, maxRows)).order(ByteOrder.nativeOrder());
      direct.put(name, buffer);
    }
    return buffer.slice(0, count).order(ByteOrder.nativeOrder());
  }

  FloatBuffer floats(String name, int count) {
    return bytes(name, count * Float.BYTES).asFloatBuffer();
  }

  /** The first {@code count} of {@code values}, copied. */
  ByteBuffer floats(String name, float[] values, int count) {
    ByteBuffer buffer = bytes(name, count * Float.BYTES);
    buffer.asFloatBuffer().put(0, values, 0, count);
    return buffer;
  }

  /** The first {@code count} of {@code values}, copied. */
  ByteBuffer ints(String name, int[] values, int count) {
    ByteBuffer buffer = bytes(name, count * Integer.BYTES);
    buffer.asIntBuffer().put(0, values, 0, count);
    return buffer;
  }

  int[] slots(String name, int count) {
    int[] known = slots.get(name);
    if (known == null || known.length < count) {
      known = new int[count];
      slots.put(name, known);
    }
    return known;
  }

  int[] slots(String name) {
    return slots(name, 0);
  }
}
