package dev.wukong.serving.engine;

import dev.wukong.runtime.Device;
import dev.wukong.serving.engine.GpuMeters.Gpu;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.List;

/** The meters of a GPU, for tests on machines that have none. */
public final class ShownGpu {
  private ShownGpu() {}

  /** Of one that does nothing. */
  public static MeterBinder meters() {
    return new GpuMeters(List.of(new Gpu(new Device.Cuda(0), 1, new Idle())), () -> 0);
  }

  private record Idle() implements GpuSensor {
    @Override
    public double utilization() {
      return 0;
    }

    @Override
    public double memoryUsed() {
      return 0;
    }

    @Override
    public double power() {
      return 0;
    }
  }
}
