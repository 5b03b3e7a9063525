package dev.wukong.runtime.device;

import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import java.lang.foreign.MemorySegment;

/**
 * A device's memory and work queues. Any thread; what it gives out is given back by who took it.
 */
public interface Accelerator {
  /** Work of one queue goes before that of others where both wait. */
  enum Priority {
    /** For answers that somebody waits for. */
    HIGH,
    /** For training beside them. */
    LOW
  }

  /** Opens {@code device}; it stays open as long as the process. */
  static Accelerator of(Device device) {
    return switch (device) {
      case Device.Cpu() -> new HostAccelerator();
      case Device.Cuda cuda -> CudaAccelerator.open(cuda);
    };
  }

  /** Which device it is. */
  Device device();

  /**
   * Memory of the device, zeroed.
   *
   * @throws DeviceException if there is too little; the message says how much is free
   */
  DeviceBuffer allocate(long bytes);

  /** Gives memory of {@link #allocate} back. */
  void free(DeviceBuffer buffer);

  /**
   * Memory of the host from which the device copies without help of a processor.
   *
   * @throws DeviceException if there is too little
   */
  MemorySegment allocateHost(long bytes);

  /** Gives memory of {@link #allocateHost} back. */
  void freeHost(MemorySegment segment);

  /**
   * A new queue.
   *
   * @throws DeviceException if the device has none left
   */
  WorkQueue queue(Priority priority);

  /** Whether its queues record work. */
  boolean records();

  /** Bytes of the device's memory that nobody has taken. */
  long freeBytes();

  /** Bytes of the device's memory. */
  long totalBytes();

  /** Where the device sits in the machine, such as {@code 0000:19:00.0}; empty for processors. */
  String busId();
}
