package dev.wukong.serving.hosting;

import dev.wukong.bundle.Precision;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.function.LongSupplier;

/**
 * How graphs run.
 *
 * @param threads of one run, at least 1
 * @param spin whether idle threads of a run busy-wait for work: faster on cores that nothing else
 *     wants
 * @param precision which of a bundle's predict graphs
 */
public record EngineOptions(Device device, int threads, boolean spin, Precision precision) {
  public EngineOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is %d, allowed is 1 or more".formatted(threads));
    }
  }

  /**
   * Nanoseconds that the calling thread has worked on graphs, as a clock to take differences of:
   * processor time, which others who use the processor do not lengthen. On a GPU the thread waits
   * for its work to be done there, so it is the time that has passed.
   */
  public LongSupplier work() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return switch (device) {
      case Device.Cpu() when threads.isCurrentThreadCpuTimeSupported() ->
          threads::getCurrentThreadCpuTime;
      case Device.Cpu(), Device.Cuda _ -> System::nanoTime;
    };
  }

  /**
   * Fails where graphs cannot run on the device at all, before any is loaded.
   *
   * @throws dev.wukong.runtime.DeviceException naming what is missing
   */
  public void requireDevice() {
    OnnxRuntime.options(device, threads, spin).close();
  }
}
