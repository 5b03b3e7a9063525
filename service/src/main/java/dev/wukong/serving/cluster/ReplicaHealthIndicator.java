package dev.wukong.serving.cluster;

import java.util.Optional;
import java.util.function.Supplier;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * The part {@code replica} of readiness: up once this replica was where the others are. If it falls
 * behind later it goes on answering by what it has, and its meters tell of it.
 */
public final class ReplicaHealthIndicator implements HealthIndicator {
  private final Supplier<Replica.Status> replica;

  private ReplicaHealthIndicator(Supplier<Replica.Status> replica) {
    this.replica = replica;
  }

  /** Of one of several. */
  public static HealthIndicator of(Replica replica) {
    return new ReplicaHealthIndicator(replica::status);
  }

  /**
   * The part {@code current} of liveness: down where this process can follow the others no more,
   * but one that starts anew can, from a checkpoint.
   */
  public static HealthIndicator current(Supplier<Optional<Replica>> replica) {
    return () ->
        replica.get().map(Replica::status).filter(Replica.Status::outdated).isPresent()
            ? Health.down()
                .withDetail("reason", "commits are missing; a checkpoint has them")
                .build()
            : Health.up().build();
  }

  /** Where there is one process alone: always up. */
  public static HealthIndicator off() {
    return () -> Health.up().withDetail("role", "ALONE").build();
  }

  @Override
  public Health health() {
    Replica.Status now = replica.get();
    return (now.caughtUp() ? Health.up() : Health.outOfService())
        .withDetail("role", now.role().name())
        .withDetail("epoch", now.epoch())
        .withDetail("sequence", now.sequence())
        .withDetail("reason", now.reason())
        .build();
  }
}
