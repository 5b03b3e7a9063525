package dev.wukong.serving.hosting;

import dev.wukong.serving.hosting.VersionState.Failed;
import dev.wukong.serving.hosting.VersionState.Loading;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * The part {@code models} of readiness: up while a model serves and every model that has ever
 * served still does. A model that loads or fails for the first time takes nothing away from the
 * others; the details tell of it.
 */
public final class ModelsHealthIndicator implements HealthIndicator {
  private final ModelHost host;

  public ModelsHealthIndicator(ModelHost host) {
    this.host = host;
  }

  @Override
  public Health health() {
    List<ServedModel> models = host.models();
    boolean some = models.stream().anyMatch(m -> m.servingVersion() > 0);
    boolean none = models.stream().anyMatch(m -> m.hasServed() && m.servingVersion() == 0);
    Health.Builder health = some && !none ? Health.up() : Health.outOfService();
    models.forEach(m -> health.withDetail(m.name(), describe(m)));
    return health.build();
  }

  private static Map<String, Object> describe(ServedModel model) {
    long serving = model.servingVersion();
    List<Long> loading = new ArrayList<>();
    Map<Long, String> refused = new LinkedHashMap<>();
    for (VersionState version : model.versions()) {
      if (version.version() > serving) {
        if (version.phase() instanceof Loading) {
          loading.add(version.version());
        } else if (version.phase() instanceof Failed(String reason)) {
          refused.put(version.version(), reason);
        }
      }
    }
    return Map.of("serving", serving, "loading", loading, "refused", refused);
  }
}
