package dev.wukong.serving.engine;

import dev.wukong.runtime.device.Accelerator;
import dev.wukong.serving.inputs.HostMemory;
import java.lang.foreign.MemorySegment;

/** Memory that GPUs copy from and to by themselves. */
record PageLocked(Accelerator accelerator) implements HostMemory {
  @Override
  public Block allocate(long bytes) {
    MemorySegment segment = accelerator.allocateHost(bytes);
    return new Block(segment, () -> accelerator.freeHost(segment));
  }
}
