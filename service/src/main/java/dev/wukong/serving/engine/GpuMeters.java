package dev.wukong.serving.engine;

import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** Gauges of the GPUs that an engine uses: how much they work, what memory and power they take. */
public final class GpuMeters implements MeterBinder {
  /** So long a reading holds: what scrapes cost does not grow with how often they come. */
  private static final Duration FRESH = Duration.ofSeconds(2);

  private final List<Gpu> gpus;
  private final LongSupplier clock;

  /**
   * A GPU.
   *
   * @param totalBytes of its memory
   */
  record Gpu(Device device, long totalBytes, GpuSensor sensor) {
    static Gpu of(Accelerator accelerator) {
      return new Gpu(accelerator.device(), accelerator.totalBytes(), GpuSensor.of(accelerator));
    }
  }

  GpuMeters(List<Gpu> gpus, LongSupplier clock) {
    this.gpus = List.copyOf(gpus);
    this.clock = clock;
  }

  /** Of the GPUs of {@code options}; none on the processors. */
  public static GpuMeters of(EngineOptions options) {
    return new GpuMeters(
        options.onGpu()
            ? options.devices().stream().map(Engines::open).map(Gpu::of).toList()
            : List.of(),
        System::nanoTime);
  }

  @Override
  public void bindTo(MeterRegistry meters) {
    for (Gpu gpu : gpus) {
      gauge(
          meters,
          gpu,
          "utilization",
          "Share of time in which the GPU works",
          null,
          GpuSensor::utilization);
      gauge(
          meters,
          gpu,
          "memory.used",
          "Memory of the GPU that is taken, by any process",
          "bytes",
          GpuSensor::memoryUsed);
      gauge(meters, gpu, "power", "Power that the GPU draws", "watts", GpuSensor::power);
      Gauge.builder("wukong.gpu.memory.total", gpu, Gpu::totalBytes)
          .description("Memory of the GPU")
          .baseUnit("bytes")
          .tag("device", gpu.device().toString())
          .strongReference(true)
          .register(meters);
    }
  }

  private void gauge(
      MeterRegistry meters,
      Gpu gpu,
      String name,
      String description,
      @Nullable String unit,
      ToDoubleFunction<GpuSensor> value) {
    Gauge.builder("wukong.gpu." + name, new Kept(gpu.sensor(), value), Kept::get)
        .description(description)
        .baseUnit(unit)
        .tag("device", gpu.device().toString())
        .strongReference(true)
        .register(meters);
  }

  /** A reading that holds for a while. */
  private final class Kept {
    private final GpuSensor sensor;
    private final ToDoubleFunction<GpuSensor> value;
    private double last = Double.NaN;
    private long read;
    private boolean known;

    Kept(GpuSensor sensor, ToDoubleFunction<GpuSensor> value) {
      this.sensor = sensor;
      this.value = value;
    }

    synchronized double get() {
      long now = clock.getAsLong();
      if (!known || now - read >= FRESH.toNanos()) {
        last = value.applyAsDouble(sensor);
        read = now;
        known = true;
      }
      return last;
    }
  }
}
