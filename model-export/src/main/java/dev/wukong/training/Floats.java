package dev.wukong.training;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Floats outside the heap, so that ONNX Runtime reads and writes them in place. Whole tiles are
 * copied to heap arrays for arithmetic: the compiler vectorizes loops over arrays, and a tile stays
 * in the nearest cache.
 */
final class Floats {
  /** Floats of a tile: four such arrays fit a first-level cache. */
  static final int TILE = 2048;

  private final MemorySegment segment;
  private final long length;

  Floats(Arena arena, long length) {
    this.segment = arena.allocate(Math.max(1, length) * Float.BYTES, 64);
    this.length = length;
  }

  long length() {
    return length;
  }

  /** A view of floats {@code from} to {@code from + count}, in native order. */
  FloatBuffer buffer(long from, long count) {
    return bytes(from, count).asFloatBuffer();
  }

  /** The same view as bytes. */
  ByteBuffer bytes(long from, long count) {
    return segment
        .asSlice(from * Float.BYTES, count * Float.BYTES)
        .asByteBuffer()
        .order(ByteOrder.nativeOrder());
  }

  void get(long from, float[] to, int count) {
    MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT, from * Float.BYTES, to, 0, count);
  }

  void put(long to, float[] from, int count) {
    put(to, from, 0, count);
  }

  /** Floats {@code at} to {@code at + count} of an array. */
  void put(long to, float[] from, int at, int count) {
    MemorySegment.copy(from, at, segment, ValueLayout.JAVA_FLOAT, to * Float.BYTES, count);
  }

  void fill(long from, long count, byte value) {
    segment.asSlice(from * Float.BYTES, count * Float.BYTES).fill(value);
  }

  MemorySegment segment() {
    return segment;
  }
}
