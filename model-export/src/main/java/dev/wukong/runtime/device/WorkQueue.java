package dev.wukong.runtime.device;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Work of a device, done in the order in which it was given. One thread at a time.
 *
 * <p>Every method but {@link #await} may return before the work is done.
 */
public interface WorkQueue extends AutoCloseable {
  /** Work that was recorded and is done again at once, for the cost of one launch. */
  interface Recording extends AutoCloseable {
    /** Does it once more, in its queue. */
    void replay();

    @Override
    void close();
  }

  /** CUDA's name for it; 0 where the device has no queues. */
  long handle();

  /** Makes it the place where this thread's work goes; before each use by another thread. */
  void enter();

  /** Copies the first {@code bytes} of {@code from}, which stays as it is until they are copied. */
  void toDevice(DeviceBuffer to, MemorySegment from, long bytes);

  /** Copies the first {@code bytes} of {@code from}. */
  void toHost(MemorySegment to, DeviceBuffer from, long bytes);

  /** Zeroes {@code bytes} from {@code start} on. */
  void zero(DeviceBuffer buffer, long start, long bytes);

  /**
   * Records what {@code work} gives to this queue; nothing of it is done.
   *
   * @return empty where the device, or that work, cannot be recorded
   */
  Optional<Recording> record(Runnable work);

  /** Waits until all that was given is done. */
  void await();

  /** Waits, then gives it back. */
  @Override
  void close();
}
