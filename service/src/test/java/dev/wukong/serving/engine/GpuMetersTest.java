package dev.wukong.serving.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Precision;
import dev.wukong.runtime.Device;
import dev.wukong.serving.engine.GpuMeters.Gpu;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class GpuMetersTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final AtomicLong now = new AtomicLong();

  /** Says how often it was asked. */
  private static final class Sensor implements GpuSensor {
    int asked;

    @Override
    public double utilization() {
      asked++;
      return asked / 10.0;
    }

    @Override
    public double memoryUsed() {
      return 300;
    }

    @Override
    public double power() {
      return Double.NaN;
    }
  }

  private double value(String name, String device) {
    return meters.get(name).tag("device", device).gauge().value();
  }

  @Test
  void gauges_ofEachGpu_readTheSensorOnceInAWhile() {
    Sensor first = new Sensor();
    Sensor second = new Sensor();
    new GpuMeters(
            List.of(
                new Gpu(new Device.Cuda(0), 1000, first),
                new Gpu(new Device.Cuda(1), 2000, second)),
            now::get)
        .bindTo(meters);
    assertThat(value("wukong.gpu.utilization", "cuda:0")).isEqualTo(0.1);
    assertThat(value("wukong.gpu.utilization", "cuda:0")).isEqualTo(0.1);
    now.addAndGet(Duration.ofSeconds(2).toNanos());
    assertThat(value("wukong.gpu.utilization", "cuda:0")).isEqualTo(0.2);
    assertThat(value("wukong.gpu.utilization", "cuda:1")).isEqualTo(0.1);
    assertThat(value("wukong.gpu.memory.used", "cuda:1")).isEqualTo(300);
    assertThat(value("wukong.gpu.memory.total", "cuda:1")).isEqualTo(2000);
    assertThat(value("wukong.gpu.power", "cuda:0")).isNaN();
  }

  @Test
  void gauges_onTheProcessors_areNone() {
    GpuMeters.of(EngineOptions.cpu(1, false, Precision.FP32)).bindTo(meters);
    assertThat(meters.getMeters()).isEmpty();
  }

  /** Whether NVIDIA's library is there or not, a device that it does not know has no figures. */
  @Test
  void sensor_ofADeviceThatIsNotThere_saysNothing() {
    GpuSensor sensor = GpuSensor.of(FakeGpu.right());
    assertThat(sensor.utilization()).isNaN();
    assertThat(sensor.memoryUsed()).isNaN();
    assertThat(sensor.power()).isNaN();
  }
}
