package dev.wukong.serving.inputs;

import dev.wukong.serving.inputs.HostMemory.Block;
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

  private final HostMemory memory;
  private Block block;
  private ByteBuffer bytes;

  public GrowingBuffer() {
    this(HostMemory.PLAIN);
  }

  /** In memory of {@code memory}. */
  public GrowingBuffer(HostMemory memory) {
    this.memory = memory;
    this.block = HostMemory.PLAIN.allocate(0);
    this.bytes = bytes(block);
  }

  private static ByteBuffer bytes(Block block) {
    return block.segment().asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** Makes room for {@code size} bytes. */
  public void ensure(long size) {
    if (size <= block.segment().byteSize()) {
      return;
    }
    if (size > LARGEST) {
      throw new IllegalStateException(
          "a batch needs %d bytes for one input, at most %d are possible; lower max-rows"
              .formatted(size, LARGEST));
    }
    long doubled = Math.clamp(2 * block.segment().byteSize(), SMALLEST, LARGEST);
    Block before = block;
    block = memory.allocate(Math.max(size, doubled));
    bytes = bytes(block);
    block.segment().copyFrom(before.segment());
    before.free().run();
  }

  public MemorySegment segment() {
    return block.segment();
  }

  /** The first {@code size} bytes. */
  public ByteBuffer view(long size) {
    return bytes.slice(0, Math.toIntExact(size)).order(ByteOrder.nativeOrder());
  }

  @Override
  public void close() {
    block.free().run();
  }
}
