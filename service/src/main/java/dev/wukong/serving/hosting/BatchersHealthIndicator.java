package dev.wukong.serving.hosting;

import java.util.List;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** The part {@code batchers} of liveness: down when a model would never score a batch again. */
public final class BatchersHealthIndicator implements HealthIndicator {
  private final ModelHost host;

  public BatchersHealthIndicator(ModelHost host) {
    this.host = host;
  }

  @Override
  public Health health() {
    List<String> ended =
        host.models().stream()
            .filter(model -> !model.batcher().works())
            .map(ServedModel::name)
            .toList();
    return ended.isEmpty()
        ? Health.up().build()
        : Health.down()
            .withDetail("reason", "the batch threads of these models have ended")
            .withDetail("models", ended)
            .build();
  }
}
