package dev.wukong.serving.status;

import dev.wukong.runtime.Device;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.hosting.BatchersHealthIndicator;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ModelsHealthIndicator;
import dev.wukong.serving.hosting.TrainingStates;
import dev.wukong.serving.hosting.WatcherHealthIndicator;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.availability.ApplicationAvailability;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The parts behind the status page. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnStatusPage
class StatusConfiguration {
  @Bean(initMethod = "start")
  StatusSampler statusSampler(ModelHost host, MeterRegistry meters, Clock clock) {
    return new StatusSampler(host, meters, clock, System::nanoTime, ProcessReading::now);
  }

  @Bean
  StatusReports statusReports(
      ModelHost host,
      StatusSampler sampler,
      ModelsHealthIndicator models,
      BatchersHealthIndicator batchers,
      WatcherHealthIndicator watcher,
      @Qualifier("onlineHealthIndicator") HealthIndicator online,
      TrainingStates training,
      ApplicationAvailability availability,
      EngineOptions engine,
      Clock clock) {
    Headline headline =
        new Headline(
            host,
            models,
            batchers,
            watcher,
            online,
            () -> availability.getReadinessState() == ReadinessState.ACCEPTING_TRAFFIC);
    return new StatusReports(
        host,
        training,
        sampler.samples(),
        headline,
        engine.devices().stream().map(Device::toString).toList(),
        clock,
        ManagementFactory.getRuntimeMXBean().getStartTime());
  }
}
