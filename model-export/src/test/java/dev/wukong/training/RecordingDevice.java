package dev.wukong.training;

import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.DeviceBuffer;
import dev.wukong.runtime.device.WorkQueue;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The processors as a device that records work; counts what is taken and not given back. */
final class RecordingDevice implements Accelerator {
  int held;
  int replays;
  Priority priority = Priority.HIGH;

  /** What it says is free. */
  long free = Long.MAX_VALUE;

  /** Allocations that succeed before one does not, of any kind. */
  int lasting = Integer.MAX_VALUE;

  /** Whether that one has been asked for. */
  boolean failed;

  /** Buffers larger than this it has no room for, whatever it says. */
  long most = Long.MAX_VALUE;

  /** What a replay does of what was recorded. */
  enum Replay {
    ALL,
    NOTHING,
    /** All, but the largest buffers stay as they were. */
    ALL_BUT_THE_LARGEST
  }

  private final Replay replay;
  private final List<DeviceBuffer> buffers = new ArrayList<>();

  private final Accelerator host = Accelerator.of(new Device.Cpu());

  RecordingDevice(Replay replay) {
    this.replay = replay;
  }

  private void wear() {
    if (lasting-- == 0) {
      failed = true;
      throw new DeviceException("no room, once");
    }
  }

  /** Buffers of its own memory that are taken. */
  int buffers() {
    return buffers.size();
  }

  @Override
  public Device device() {
    return host.device();
  }

  @Override
  public DeviceBuffer allocate(long bytes) {
    wear();
    if (bytes > most) {
      throw new DeviceException("no room for %d bytes".formatted(bytes));
    }
    held++;
    buffers.add(host.allocate(bytes));
    return buffers.getLast();
  }

  @Override
  public void free(DeviceBuffer buffer) {
    held--;
    if (!buffers.remove(buffer)) {
      throw new IllegalStateException("not taken: " + buffer);
    }
    host.free(buffer);
  }

  @Override
  public MemorySegment allocateHost(long bytes) {
    wear();
    held++;
    return host.allocateHost(bytes);
  }

  @Override
  public void freeHost(MemorySegment segment) {
    held--;
    host.freeHost(segment);
  }

  @Override
  public WorkQueue queue(Priority wanted) {
    held++;
    priority = wanted;
    return new Recorder(host.queue(wanted));
  }

  @Override
  public boolean records() {
    return true;
  }

  @Override
  public long freeBytes() {
    return free;
  }

  @Override
  public long totalBytes() {
    return host.totalBytes();
  }

  @Override
  public String busId() {
    return host.busId();
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
      held++;
      return Optional.of(
          new Recording() {
            @Override
            public void replay() {
              replays++;
              switch (replay) {
                case ALL -> work.run();
                case NOTHING -> {}
                case ALL_BUT_THE_LARGEST -> keeping(work);
              }
            }

            @Override
            public void close() {
              held--;
            }
          });
    }

    private void keeping(Runnable work) {
      long most = buffers.stream().mapToLong(DeviceBuffer::bytes).max().orElseThrow();
      List<DeviceBuffer> largest = buffers.stream().filter(b -> b.bytes() == most).toList();
      List<MemorySegment> before = new ArrayList<>();
      for (DeviceBuffer buffer : largest) {
        before.add(host.allocateHost(most));
        queue.toHost(before.getLast(), buffer, most);
      }
      work.run();
      for (int i = 0; i < largest.size(); i++) {
        queue.toDevice(largest.get(i), before.get(i), most);
        host.freeHost(before.get(i));
      }
    }

    @Override
    public void await() {
      queue.await();
    }

    @Override
    public void close() {
      held--;
      queue.close();
    }
  }
}
