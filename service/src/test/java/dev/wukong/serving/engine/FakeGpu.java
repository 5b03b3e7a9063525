package dev.wukong.serving.engine;

import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.DeviceBuffer;
import dev.wukong.runtime.device.WorkQueue;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The processors as if they were a GPU: work can be recorded, and what is taken and not given back
 * is counted.
 */
final class FakeGpu implements Accelerator {
  final AtomicInteger held = new AtomicInteger();
  final AtomicInteger replays = new AtomicInteger();
  final AtomicInteger recordings = new AtomicInteger();
  private final AtomicLong left;

  /** What a replay does, beside what was recorded; null: what was recorded. */
  private final @Nullable Runnable instead;

  private final Accelerator host = Accelerator.of(new Device.Cpu());

  private FakeGpu(@Nullable Runnable instead, long bytes) {
    this.instead = instead;
    this.left = new AtomicLong(bytes);
  }

  /** One whose recordings do what was recorded. */
  static FakeGpu right() {
    return new FakeGpu(null, Long.MAX_VALUE);
  }

  /** One whose recordings do nothing. */
  static FakeGpu forgetful() {
    return new FakeGpu(() -> {}, Long.MAX_VALUE);
  }

  /** One with little memory. */
  static FakeGpu small(long bytes) {
    return new FakeGpu(null, bytes);
  }

  @Override
  public Device device() {
    return host.device();
  }

  @Override
  public DeviceBuffer allocate(long bytes) {
    if (left.addAndGet(-bytes) < 0) {
      left.addAndGet(bytes);
      throw new dev.wukong.runtime.DeviceException("no memory for %d bytes".formatted(bytes));
    }
    held.incrementAndGet();
    return host.allocate(bytes);
  }

  @Override
  public void free(DeviceBuffer buffer) {
    left.addAndGet(buffer.bytes());
    held.decrementAndGet();
    host.free(buffer);
  }

  @Override
  public MemorySegment allocateHost(long bytes) {
    held.incrementAndGet();
    return host.allocateHost(bytes);
  }

  @Override
  public void freeHost(MemorySegment segment) {
    held.decrementAndGet();
    host.freeHost(segment);
  }

  @Override
  public WorkQueue queue(Priority priority) {
    held.incrementAndGet();
    return new Recorder(host.queue(priority));
  }

  @Override
  public boolean records() {
    return true;
  }

  @Override
  public long freeBytes() {
    return left.get();
  }

  @Override
  public long totalBytes() {
    return 1000;
  }

  @Override
  public String busId() {
    return "0000:19:00.0";
  }

  private final class Recorder implements WorkQueue {
    private final WorkQueue queue;

    Recorder(WorkQueue queue) {
      this.queue = queue;
    }

    @Override
    public long handle() {
      return queue.handle();
    }

    @Override
    public void enter() {
      queue.enter();
    }

    @Override
    public void toDevice(DeviceBuffer to, MemorySegment from, long bytes) {
      queue.toDevice(to, from, bytes);
    }

    @Override
    public void toHost(MemorySegment to, DeviceBuffer from, long bytes) {
      queue.toHost(to, from, bytes);
    }

    @Override
    public void zero(DeviceBuffer buffer, long start, long bytes) {
      queue.zero(buffer, start, bytes);
    }

    @Override
    public Optional<Recording> record(Runnable work) {
      held.incrementAndGet();
      recordings.incrementAndGet();
      return Optional.of(
          new Recording() {
            @Override
            public void replay() {
              replays.incrementAndGet();
              (instead == null ? work : instead).run();
            }

            @Override
            public void close() {
              held.decrementAndGet();
            }
          });
    }

    @Override
    public void await() {
      queue.await();
    }

    @Override
    public void close() {
      held.decrementAndGet();
      queue.close();
    }
  }
}
