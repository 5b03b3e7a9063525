package dev.wukong.serving.inputs;

import dev.wukong.data.OwnedArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Direct memory in native order that grows and keeps its contents. What it gave out is valid until
 * it grows or closes. One thread at a time.
 */
public final class GrowingBuffer implements AutoCloseable {
  private static final int SMALLEST = 4096;
  private static final int LARGEST = Integer.MAX_VALUE - 8;
  private static final int ALIGNMENT = 64;

  private Block block = Block.of(0);

  /**
   * Memory of one size. Its arena frees it at once; other direct memory waits for the collector,
   * who sees no reason to come while the heap has room, however many models were replaced.
   */
  private record Block(Arena arena, MemorySegment segment, ByteBuffer bytes) {
    static Block of(long size) {
      return OwnedArena.open(
          arena -> {
            MemorySegment segment = arena.allocate(size, ALIGNMENT);
            return new Block(arena, segment, segment.asByteBuffer().order(ByteOrder.nativeOrder()));
          });
    }
  }

  /** Makes room for {@code size} bytes. */
  public void ensure(long size) {
    if (size <= block.segment.byteSize()) {
      return;
    }
    if (size > LARGEST) {
      throw new IllegalStateException(
          "a batch needs %d bytes for one input, at most %d are possible; lower max-rows"
              .formatted(size, LARGEST));
    }
    long doubled = Math.clamp(2 * block.segment.byteSize(), SMALLEST, LARGEST);
    Block before = block;
    block = Block.of(Math.max(size, doubled));
    block.segment.copyFrom(before.segment);
    before.arena.close();
  }

  public MemorySegment segment() {
    return block.segment;
  }

  /** The first {@code size} bytes. */
  public ByteBuffer view(long size) {
    return block.bytes.slice(0, Math.toIntExact(size)).order(ByteOrder.nativeOrder());
  }

  @Override
  public void close() {
    block.arena.close();
  }
}
