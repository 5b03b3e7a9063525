package dev.wukong.serving.engine;

import dev.wukong.runtime.device.Accelerator;
import oshi.util.gpu.NvmlUtilJNA;

/**
 * What a GPU says of itself. Any thread; reading takes some milliseconds.
 *
 * @see GpuMeters
 */
interface GpuSensor {
  /** Share of the last moments in which it worked, 0 to 1; NaN where it does not say. */
  double utilization();

  /** Bytes of its memory that are taken, by any process; NaN where it does not say. */
  double memoryUsed();

  /** Watts that it draws; NaN where it does not say. */
  double power();

  /** NVIDIA's management library on {@code gpu}; says nothing where that is not there. */
  static GpuSensor of(Accelerator gpu) {
    return new Nvml(NvmlUtilJNA.isAvailable() ? NvmlUtilJNA.findDevice(gpu.busId()) : "");
  }

  /**
   * Of the library, which comes with the driver.
   *
   * @param device as the library names it; empty: it knows none
   */
  record Nvml(String device) implements GpuSensor {
    @Override
    public double utilization() {
      return known(NvmlUtilJNA.getGpuUtilization(device)) / 100;
    }

    @Override
    public double memoryUsed() {
      return known((double) NvmlUtilJNA.getVramUsed(device));
    }

    @Override
    public double power() {
      return known(NvmlUtilJNA.getPowerDraw(device));
    }

    /** The library below says -1 for what it does not know. */
    private static double known(double value) {
      return value < 0 ? Double.NaN : value;
    }
  }
}
