package dev.wukong.serving.hosting;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** The part {@code watcher} of liveness: down when new versions would never be seen again. */
public final class WatcherHealthIndicator implements HealthIndicator {
  private final BundleWatcher watcher;

  public WatcherHealthIndicator(BundleWatcher watcher) {
    this.watcher = watcher;
  }

  @Override
  public Health health() {
    return watcher.watches()
        ? Health.up().build()
        : Health.down()
            .withDetail("reason", "the thread that looks for new versions has ended")
            .build();
  }
}
