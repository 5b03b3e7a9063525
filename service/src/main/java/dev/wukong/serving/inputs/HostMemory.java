package dev.wukong.serving.inputs;

import dev.wukong.data.OwnedArena;
import java.lang.foreign.MemorySegment;

/** Where the memory of inputs and results comes from. Any thread. */
public interface HostMemory {
  /** Ordinary memory outside the heap. */
  HostMemory PLAIN =
      bytes ->
          OwnedArena.open(arena -> new Block(arena.allocate(bytes, Block.ALIGNMENT), arena::close));

  /**
   * Memory of one size.
   *
   * @param free frees it at once; other direct memory waits for the collector, who sees no reason
   *     to come while the heap has room, however many models were replaced
   */
  record Block(MemorySegment segment, Runnable free) {
    private static final int ALIGNMENT = 64;
  }

  /** Memory that whoever takes it frees. */
  Block allocate(long bytes);
}
