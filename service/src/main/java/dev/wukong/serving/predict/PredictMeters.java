package dev.wukong.serving.predict;

import dev.wukong.serving.sight.Sight;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;

/** The edge's meters. Any thread. */
final class PredictMeters {
  /** The meters of one model. */
  private record ModelMeters(
      Timer decode,
      Timer resolve,
      Timer reply,
      Timer total,
      Counter candidates,
      Counter defaulted,
      Counter missing,
      Counter truncated) {}

  private final MeterRegistry registry;
  private final ConcurrentMap<String, ModelMeters> models = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, Counter> refusals = new ConcurrentHashMap<>();

  PredictMeters(MeterRegistry registry) {
    this.registry = registry;
  }

  /** Counts a request that has been answered, with its stages. */
  void answered(Sight sight) {
    String model = sight.model();
    if (model != null) {
      ModelMeters own = of(model);
      own.decode().record(sight.decodeNanos(), TimeUnit.NANOSECONDS);
      own.resolve().record(sight.resolveNanos(), TimeUnit.NANOSECONDS);
      own.reply().record(sight.replyNanos(), TimeUnit.NANOSECONDS);
      own.total().record(sight.totalNanos(), TimeUnit.NANOSECONDS);
      own.candidates().increment(sight.rows());
      own.defaulted().increment(sight.defaulted());
      own.missing().increment(sight.missing());
      own.truncated().increment(sight.truncated());
    }
  }

  private ModelMeters of(String model) {
    ModelMeters known = models.get(model);
    return known != null ? known : models.computeIfAbsent(model, this::create);
  }

  private ModelMeters create(String model) {
    return new ModelMeters(
        timer("wukong.predict.decode", "Checking a request and mapping values to ids", model),
        timer(
            "wukong.predict.resolve",
            "Finding a request's rows and bringing them into memory",
            model),
        timer(
            "wukong.predict.reply",
            "From the scores to the answer built and, over gRPC, written into the connection's"
                + " buffers",
            model),
        timer(
            "wukong.predict.duration",
            "A request that was answered, from the first to the last step",
            model),
        Counter.builder("wukong.predict.candidates")
            .description("Candidates answered")
            .tag("model", model)
            .register(registry),
        ids(model, "defaulted"),
        ids(model, "missing"),
        ids(model, "truncated"));
  }

  private Timer timer(String name, String description, String model) {
    return Timer.builder(name)
        .description(description)
        .tag("model", model)
        .publishPercentileHistogram()
        .minimumExpectedValue(Duration.ofNanos(20_000))
        .maximumExpectedValue(Duration.ofSeconds(10))
        .register(registry);
  }

  private Counter ids(String model, String kind) {
    return Counter.builder("wukong.predict.ids")
        .description(
            "Id positions whose value has no row of its own, absent values, values beyond a"
                + " feature's positions")
        .tag("model", model)
        .tag("kind", kind)
        .register(registry);
  }

  void refused(ServingException failure) {
    refused(StatusMapping.reason(failure));
  }

  /**
   * Counts a request without an answer.
   *
   * @param why of a closed set
   */
  void refused(String why) {
    refusals
        .computeIfAbsent(
            why,
            reason ->
                Counter.builder("wukong.predict.refusals")
                    .description("Requests without an answer")
                    .tag("reason", reason)
                    .register(registry))
        .increment();
  }
}
