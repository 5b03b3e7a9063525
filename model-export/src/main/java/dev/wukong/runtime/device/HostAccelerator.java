package dev.wukong.runtime.device;

import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.NativeFunction;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The processors as a device: its memory is the host's, and work is done when it is given. What
 * runs on a GPU runs here too, step by step, which is how it is tested where there is none.
 */
final class HostAccelerator implements Accelerator {
  private static final MethodHandle CALLOC =
      NativeFunction.require(
          "calloc",
          FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      NativeFunction.require("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

  @Override
  public Device device() {
    return new Device.Cpu();
  }

  @Override
  public DeviceBuffer allocate(long bytes) {
    return new DeviceBuffer(allocateHost(bytes).address(), bytes);
  }

  @Override
  public void free(DeviceBuffer buffer) {
    freeHost(MemorySegment.ofAddress(buffer.address()));
  }

  @Override
  @SuppressWarnings("restricted") // Of the size that was asked for.
  public MemorySegment allocateHost(long bytes) {
    try {
      MemorySegment found = (MemorySegment) CALLOC.invokeExact(Math.max(1, bytes), 1L);
      if (found.address() == 0) {
        throw new DeviceException("device 'cpu': no memory for %d bytes".formatted(bytes));
      }
      return found.reinterpret(bytes);
    } catch (Throwable e) {
      throw NativeFunction.failed("calloc", e);
    }
  }

  @Override
  public void freeHost(MemorySegment segment) {
    try {
      FREE.invokeExact(segment);
    } catch (Throwable e) {
      throw NativeFunction.failed("free", e);
    }
  }

  @Override
  public WorkQueue queue(Priority priority) {
    return new Immediate();
  }

  @Override
  public boolean records() {
    return false;
  }

  @Override
  public long freeBytes() {
    return Long.MAX_VALUE;
  }

  @Override
  public long totalBytes() {
    return Long.MAX_VALUE;
  }

  @Override
  public String busId() {
    return "";
  }

  /** Does everything at once. */
  private static final class Immediate implements WorkQueue {
    @Override
    public long handle() {
      return 0;
    }

    @Override
    public void enter() {}

    @Override
    public void toDevice(DeviceBuffer to, MemorySegment from, long bytes) {
      segment(to).asSlice(0, bytes).copyFrom(from.asSlice(0, bytes));
    }

    @Override
    public void toHost(MemorySegment to, DeviceBuffer from, long bytes) {
      to.asSlice(0, bytes).copyFrom(segment(from).asSlice(0, bytes));
    }

    @Override
    public void zero(DeviceBuffer buffer, long start, long bytes) {
      segment(buffer).asSlice(start, bytes).fill((byte) 0);
    }

    @SuppressWarnings("restricted") // Of the size that it was allocated with.
    private static MemorySegment segment(DeviceBuffer buffer) {
      return MemorySegment.ofAddress(buffer.address()).reinterpret(buffer.bytes());
    }

    @Override
    public Optional<Recording> record(Runnable work) {
      return Optional.empty();
    }

    @Override
    public void await() {}

    @Override
    public void close() {}
  }
}
