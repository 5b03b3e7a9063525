package dev.wukong.serving.engine;

import dev.wukong.bundle.Precision;
import dev.wukong.runtime.CudaOptions;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * How graphs run.
 *
 * @param devices the processors alone, or GPUs that share the batches
 * @param threads of one run on the processors, at least 1
 * @param spin whether idle threads of a run busy-wait for work: faster on cores that nothing else
 *     wants
 * @param precision which of a bundle's predict graphs
 * @param gpu how GPUs are used
 */
public record EngineOptions(
    List<Device> devices, int threads, boolean spin, Precision precision, Gpu gpu) {

  /**
   * How GPUs are used.
   *
   * @param streams runs of a model at the same time on one GPU, each with a copy of the weights:
   *     one copies its inputs while another computes
   * @param recordings whether the common shapes of batches are recorded and launched as one
   */
  public record Gpu(CudaOptions cuda, int streams, boolean recordings) {
    /** Two streams, recorded. */
    public static final Gpu DEFAULT = new Gpu(CudaOptions.DEFAULT, 2, true);

    public Gpu {
      if (streams < 1) {
        throw new IllegalArgumentException(
            "streams is %d, allowed is 1 or more".formatted(streams));
      }
    }
  }

  public EngineOptions {
    devices = List.copyOf(devices);
    if (threads < 1) {
      throw new IllegalArgumentException("threads is %d, allowed is 1 or more".formatted(threads));
    }
    if (devices.isEmpty() || (devices.size() > 1 && devices.contains(new Device.Cpu()))) {
      throw new IllegalArgumentException(
          "devices are %s, allowed are cpu, or GPUs".formatted(devices));
    }
  }

  /** On the processors. */
  public static EngineOptions cpu(int threads, boolean spin, Precision precision) {
    return new EngineOptions(List.of(new Device.Cpu()), threads, spin, precision, Gpu.DEFAULT);
  }

  /** Whether it is GPUs. */
  public boolean onGpu() {
    return !devices.contains(new Device.Cpu());
  }

  /**
   * Nanoseconds that the calling thread has worked on graphs, as a clock to take differences of:
   * processor time, which others who use the processor do not lengthen. On a GPU the thread waits
   * for its work to be done there, so it is the time that has passed.
   */
  public LongSupplier work() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return !onGpu() && threads.isCurrentThreadCpuTimeSupported()
        ? threads::getCurrentThreadCpuTime
        : System::nanoTime;
  }

  /**
   * Fails where graphs cannot run on the devices at all, before any is loaded.
   *
   * @throws dev.wukong.runtime.DeviceException naming what is missing
   */
  public void requireDevices() {
    for (Device device : devices) {
      OnnxRuntime.require(device, gpu.cuda());
    }
  }
}
