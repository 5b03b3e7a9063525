package dev.wukong.training;

import dev.wukong.runtime.device.Accelerator;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Memory by name for the inputs and outputs whose size follows the batch. It is made when it is
 * first asked for; a buffer that is then too small is made anew, half as large again as asked for.
 */
final class Buffers implements AutoCloseable {
  private final Memory memory;
  private final Map<String, ByteBuffer> direct = new LinkedHashMap<>();
  private final Map<String, int[]> slots = new LinkedHashMap<>();

  /** Where buffers come from. */
  interface Memory {
    ByteBuffer allocate(int bytes);

    void free(ByteBuffer buffer);
  }

  /** In ordinary memory outside the heap. */
  Buffers() {
    this(
        new Memory() {
          @Override
          public ByteBuffer allocate(int bytes) {
            return ByteBuffer.allocateDirect(bytes);
          }

          @Override
          public void free(ByteBuffer buffer) {} // The collector does.
        });
  }

  Buffers(Memory memory) {
    this.memory = memory;
  }

  /** In memory from which a device copies by itself, which has copied before it is asked again. */
  static Buffers of(Accelerator accelerator) {
    return new Buffers(
        new Memory() {
          @Override
          public ByteBuffer allocate(int bytes) {
            return accelerator.allocateHost(bytes).asByteBuffer();
          }

          @Override
          public void free(ByteBuffer buffer) {
            accelerator.freeHost(MemorySegment.ofBuffer(buffer));
          }
        });
  }

  ByteBuffer bytes(String name, int count) {
    ByteBuffer buffer = direct.get(name);
    if (buffer == null || buffer.capacity() < count) {
      // What grows, as the rows of a batch do, grows again.
      long room = buffer == null ? count : Math.min(count * 3L / 2, Integer.MAX_VALUE - 8L);
      if (buffer != null) {
        direct.remove(name);
        memory.free(buffer);
      }
      buffer = memory.allocate((int) room).order(ByteOrder.nativeOrder());
      direct.put(name, buffer);
    }
    return buffer.slice(0, count).order(ByteOrder.nativeOrder());
  }

  FloatBuffer floats(String name, int count) {
    return bytes(name, Math.multiplyExact(count, Float.BYTES)).asFloatBuffer();
  }

  /** The first {@code count} of {@code values}, copied. */
  ByteBuffer floats(String name, float[] values, int count) {
    ByteBuffer buffer = bytes(name, Math.multiplyExact(count, Float.BYTES));
    buffer.asFloatBuffer().put(0, values, 0, count);
    return buffer;
  }

  /** The first {@code count} of {@code values}, copied. */
  ByteBuffer ints(String name, int[] values, int count) {
    ByteBuffer buffer = bytes(name, Math.multiplyExact(count, Integer.BYTES));
    buffer.asIntBuffer().put(0, values, 0, count);
    return buffer;
  }

  /** All of {@code floats}, on the heap. */
  static float[] copied(ByteBuffer floats) {
    float[] values = new float[floats.capacity() / Float.BYTES];
    floats.asFloatBuffer().get(0, values);
    return values;
  }

  LongBuffer longs(String name, int count) {
    return bytes(name, Math.multiplyExact(count, Long.BYTES)).asLongBuffer();
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

  @Override
  public void close() {
    direct.values().forEach(memory::free);
    direct.clear();
  }
}
