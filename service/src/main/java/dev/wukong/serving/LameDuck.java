package dev.wukong.serving;

import io.grpc.protobuf.services.HealthStatusManager;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextClosedEvent;

/**
 * The first step of stopping: health says NOT_SERVING while calls are still taken, so that
 * balancers look elsewhere before the listener closes. The event comes before any bean stops.
 */
final class LameDuck implements ApplicationListener<ContextClosedEvent> {
  private static final Logger log = LoggerFactory.getLogger(LameDuck.class);

  private final HealthStatusManager health;
  private final Duration length;

  LameDuck(HealthStatusManager health, Duration length) {
    this.health = health;
    this.length = length;
  }

  @Override
  public void onApplicationEvent(ContextClosedEvent event) {
    log.info("stopping: health says so, calls are taken for another {} ms", length.toMillis());
    health.enterTerminalState();
    AvailabilityChangeEvent.publish(event.getApplicationContext(), ReadinessState.REFUSING_TRAFFIC);
    try {
      Thread.sleep(length);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
