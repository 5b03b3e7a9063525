package dev.wukong.serving.hosting;

import java.util.List;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** The part {@code models} of readiness: up once every model has a version that serves. */
public final class ModelsHealthIndicator implements HealthIndicator {
  private final ModelHost host;

  public ModelsHealthIndicator(ModelHost host) {
    this.host = host;
  }

  @Override
  public Health health() {
    List<ServedModel> models = host.models();
    boolean all = !models.isEmpty() && models.stream().allMatch(m -> m.servingVersion() > 0);
    Health.Builder health = all ? Health.up() : Health.outOfService();
    models.forEach(m -> health.withDetail(m.name(), m.servingVersion()));
    return health.build();
  }
}
