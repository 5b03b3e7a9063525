package dev.wukong.serving.retraining;

import dev.wukong.serving.gating.Decision;
import dev.wukong.serving.gating.Figures;
import dev.wukong.serving.gating.Gate;
import dev.wukong.serving.gating.GatePhase;
import dev.wukong.serving.gating.GateReport;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** Counts what the gate decides, and shows its figures. Any thread. */
final class GateMeters {
  private final String model;
  private final MeterRegistry registry;
  private final Supplier<Optional<GateReport>> report;
  private final Counter promoted;
  private final Timer takenBack;
  private boolean figures;

  /** The meters of one model. */
  GateMeters(String model, MeterRegistry registry, Supplier<Optional<GateReport>> report) {
    this.model = model;
    this.registry = registry;
    this.report = report;
    promoted =
        Counter.builder("wukong.online.promotions")
            .description("How often what was learned has become the healthy state")
            .tag("model", model)
            .register(registry);
    takenBack =
        Timer.builder("wukong.online.taken.back")
            .description(
                "From the verdict that what was learned is harmful to when none of it serves")
            .tag("model", model)
            .register(registry);
    Gauge.builder("wukong.online.canary", () -> report.get().map(GateReport::share).orElse(0.0))
        .description("Share of the requests that what was learned answers as a canary")
        .tag("model", model)
        .register(registry);
    for (GatePhase phase : GatePhase.values()) {
      Gauge.builder("wukong.online.gate", () -> is(phase) ? 1 : 0)
          .description("Whether this is what is done with what comes to be learned")
          .tag("model", model)
          .tag("phase", phase.name().toLowerCase(Locale.ROOT))
          .register(registry);
    }
  }

  private boolean is(GatePhase phase) {
    return report.get().filter(of -> of.phase() == phase).isPresent();
  }

  /** A commit is made; the training thread's. */
  void decided(Decision decision, Gate gate, long nanos) {
    if (!figures) {
      gate.tasks().forEach(this::show);
      figures = true;
    }
    switch (decision) {
      case Decision.Keep _, Decision.Hide _, Decision.Publish _ -> {}
      case Decision.Promote _ -> promoted.increment();
      case Decision.TakeBack _ -> takenBack.record(nanos, TimeUnit.NANOSECONDS);
    }
  }

  private void show(String task) {
    gauge(task, "low", Figures::worseLow);
    gauge(task, "mean", Figures::worse);
    gauge(task, "high", Figures::worseHigh);
  }

  private void gauge(String task, String end, ToDoubleFunction<Figures> value) {
    Gauge.builder("wukong.online.worse", () -> of(task, value))
        .description(
            "Normalized entropy of what was learned less that of the healthy state, since the last"
                + " promotion, with its interval of 95 %")
        .tag("model", model)
        .tag("task", task)
        .tag("end", end)
        .register(registry);
  }

  private double of(String task, ToDoubleFunction<Figures> value) {
    return report.get().stream()
        .flatMap(of -> of.figures().stream())
        .filter(of -> of.task().equals(task) && of.ofAll())
        .mapToDouble(value)
        .findFirst()
        .orElse(Double.NaN);
  }
}
