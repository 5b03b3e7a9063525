package dev.wukong.serving.hosting;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Direct memory in native order that grows and keeps its contents. One thread at a time. */
final class GrowingBuffer {
  private ByteBuffer bytes = allocate(4096);
  private MemorySegment segment = MemorySegment.ofBuffer(bytes);

  private static ByteBuffer allocate(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }

  /** Makes room for {@code size} bytes. */
  void ensure(long size) {
    if (size > bytes.capacity()) {
      long wanted = Math.max(size, Math.min(Integer.MAX_VALUE - 8, 2L * bytes.capacity()));
      if (wanted > Integer.MAX_VALUE - 8) {
        throw new IllegalStateException(
            "a batch needs %d bytes for one input, at most %d are possible; lower max-rows"
                .formatted(size, Integer.MAX_VALUE - 8));
      }
      ByteBuffer larger = allocate((int) wanted);
      MemorySegment target = MemorySegment.ofBuffer(larger);
      target.copyFrom(segment);
      bytes = larger;
      segment = target;
    }
  }

  MemorySegment segment() {
    return segment;
  }

  /** The first {@code size} bytes. */
  ByteBuffer view(long size) {
    return bytes.slice(0, Math.toIntExact(size)).order(ByteOrder.nativeOrder());
  }
}
