package dev.wukong.runtime.device;

import dev.wukong.runtime.CudaOptions;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.runtime.device.CudaLibrary.CudaException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** An NVIDIA GPU. */
final class CudaAccelerator implements Accelerator {
  private static final System.Logger log = System.getLogger(CudaAccelerator.class.getName());

  private final Device.Cuda device;
  private final CudaLibrary cuda;

  CudaAccelerator(Device.Cuda device, CudaLibrary cuda) {
    this.device = device;
    this.cuda = cuda;
  }

  /**
   * Opens a GPU.
   *
   * @throws DeviceException if this build or this machine has none; the message says what is
   *     missing
   */
  static CudaAccelerator open(Device.Cuda device) {
    // Loads ONNX Runtime's provider and with it the version of CUDA that it was built for.
    OnnxRuntime.require(device, CudaOptions.DEFAULT);
    CudaLibrary cuda =
        CudaLibrary.find()
            .orElseThrow(
                () ->
                    new DeviceException(
                        ("device '%s' cannot be used: the library libcudart.so.12 (or .13) is"
                                + " missing; install the CUDA runtime, or name its folder in"
                                + " LD_LIBRARY_PATH")
                            .formatted(device)));
    CudaAccelerator opened = new CudaAccelerator(device, cuda);
    int devices = opened.call(cuda::devices);
    if (device.index() >= devices) {
      throw new DeviceException(
          "device '%s' cannot be used: CUDA sees %d GPU%s, numbered from 0"
              .formatted(device, devices, devices == 1 ? "" : "s"));
    }
    return opened;
  }

  private interface Asked<T> {
    T get();
  }

  private <T> T call(Asked<T> asked) {
    try {
      return asked.get();
    } catch (CudaException e) {
      throw new DeviceException("device '%s': %s".formatted(device, e.getMessage()), e);
    }
  }

  /** On this device, whichever the calling thread was at before. */
  private <T> T here(Asked<T> asked) {
    return call(
        () -> {
          cuda.choose(device.index());
          return asked.get();
        });
  }

  private void run(Runnable asked) {
    here(
        () -> {
          asked.run();
          return true;
        });
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public DeviceBuffer allocate(long bytes) {
    return new DeviceBuffer(
        here(() -> taken("the GPU's memory", bytes, () -> cuda.allocate(Math.max(1, bytes)))),
        bytes);
  }

  private long taken(String what, long bytes, Asked<Long> asked) {
    try {
      return asked.get();
    } catch (CudaException e) {
      if (e.code() != CudaException.MEMORY) {
        throw e;
      }
      CudaLibrary.Memory memory = cuda.memory();
      throw new DeviceException(
          "device '%s': no %d bytes of %s are left; of the GPU's %d bytes %d are free"
              .formatted(device, bytes, what, memory.total(), memory.free()),
          e);
    }
  }

  @Override
  public void free(DeviceBuffer buffer) {
    run(() -> cuda.free(buffer.address()));
  }

  @Override
  @SuppressWarnings("restricted") // Of the size that was asked for.
  public MemorySegment allocateHost(long bytes) {
    long address =
        here(() -> taken("page-locked memory", bytes, () -> cuda.allocateHost(Math.max(1, bytes))));
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  @Override
  public void freeHost(MemorySegment segment) {
    run(() -> cuda.freeHost(segment.address()));
  }

  @Override
  public WorkQueue queue(Priority priority) {
    return new Stream(here(() -> cuda.stream(priority)));
  }

  @Override
  public boolean records() {
    return true;
  }

  @Override
  public long freeBytes() {
    return here(cuda::memory).free();
  }

  @Override
  public long totalBytes() {
    return here(cuda::memory).total();
  }

  @Override
  public String busId() {
    return call(() -> cuda.busId(device.index()));
  }

  /** A CUDA stream. */
  private final class Stream implements WorkQueue {
    private final long handle;

    Stream(long handle) {
      this.handle = handle;
    }

    @Override
    public long handle() {
      return handle;
    }

    @Override
    public void enter() {
      run(() -> {});
    }

    @Override
    public void toDevice(DeviceBuffer to, MemorySegment from, long bytes) {
      DeviceBuffer target = to.first(bytes);
      MemorySegment source = from.asSlice(0, bytes);
      run(() -> cuda.toDevice(target.address(), source, bytes, handle));
    }

    @Override
    public void toHost(MemorySegment to, DeviceBuffer from, long bytes) {
      DeviceBuffer source = from.first(bytes);
      MemorySegment target = to.asSlice(0, bytes);
      run(() -> cuda.toHost(target, source.address(), bytes, handle));
    }

    @Override
    public void zero(DeviceBuffer buffer, long start, long bytes) {
      DeviceBuffer whole = buffer.first(start + bytes);
      run(() -> cuda.zero(whole.address() + start, bytes, handle));
    }

    @Override
    public Optional<Recording> record(Runnable work) {
      enter();
      try {
        cuda.beginCapture(handle);
      } catch (CudaException e) {
        log.log(Level.WARNING, "device ''{0}'': nothing is recorded: {1}", device, e.getMessage());
        return Optional.empty();
      }
      RuntimeException failure = null;
      try {
        work.run();
      } catch (RuntimeException e) {
        failure = e;
      }
      try {
        // Ended in any case, or the stream could not be used any more.
        long graph = cuda.endCapture(handle);
        try {
          if (failure == null) {
            return Optional.of(new Launch(cuda.instantiate(graph)));
          }
        } finally {
          cuda.destroyGraph(graph);
        }
      } catch (CudaException e) {
        failure = failure == null ? e : failure;
      }
      log.log(
          Level.WARNING, "device ''{0}'': nothing is recorded: {1}", device, failure.getMessage());
      return Optional.empty();
    }

    @Override
    public void await() {
      run(() -> cuda.await(handle));
    }

    @Override
    public void close() {
      run(
          () -> {
            cuda.await(handle);
            cuda.destroyStream(handle);
          });
    }

    /** A CUDA graph. */
    private final class Launch implements Recording {
      private final long executable;

      Launch(long executable) {
        this.executable = executable;
      }

      @Override
      public void replay() {
        run(() -> cuda.launch(executable, handle));
      }

      @Override
      public void close() {
        run(() -> cuda.destroyExecutable(executable));
      }
    }
  }
}
