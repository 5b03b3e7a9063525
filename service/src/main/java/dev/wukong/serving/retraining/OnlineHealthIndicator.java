package dev.wukong.serving.retraining;

import dev.wukong.serving.events.EventSink;
import java.util.Optional;
import java.util.function.Supplier;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;

/**
 * Whether what becomes of predictions is logged and learned from. Its states are its own, which the
 * group {@code ingest} knows and the health of the whole passes over: predictions go on without.
 */
public final class OnlineHealthIndicator implements HealthIndicator {
  /** Nothing is logged, so that feedback is refused. */
  private static final Status NOT_LOGGING = new Status("NOT_LOGGING");

  /** Feedback is logged, but not learned from. */
  private static final Status NOT_LEARNING = new Status("NOT_LEARNING");

  private final Supplier<OnlineTrainer.Status> trainer;
  private final Supplier<Optional<String>> failure;
  private final Supplier<Optional<String>> full;

  private OnlineHealthIndicator(
      Supplier<OnlineTrainer.Status> trainer,
      Supplier<Optional<String>> failure,
      Supplier<Optional<String>> full) {
    this.trainer = trainer;
    this.failure = failure;
    this.full = full;
  }

  /** Of a model that learns from what {@code sink} logs. */
  public static HealthIndicator of(OnlineTrainer trainer, EventSink sink) {
    return new OnlineHealthIndicator(trainer::status, sink::failure, sink::full);
  }

  /** Where no model learns: always up. */
  public static HealthIndicator off() {
    return () -> Health.up().withDetail("learns", false).build();
  }

  @Override
  public Health health() {
    OnlineTrainer.Status training = trainer.get();
    Optional<String> failed = failure.get();
    Optional<String> noRoom = full.get();
    boolean halted = training.phase() == OnlineTrainer.Phase.HALTED;
    Optional<String> unlogged = failed.or(() -> noRoom);
    Status status = unlogged.isPresent() ? NOT_LOGGING : halted ? NOT_LEARNING : Status.UP;
    return Health.status(status)
        .withDetail("training", training.phase().name())
        .withDetail("reason", training.reason())
        .withDetail("log", unlogged.orElse(""))
        .build();
  }
}
