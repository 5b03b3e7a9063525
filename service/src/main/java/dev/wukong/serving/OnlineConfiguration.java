package dev.wukong.serving;

import dev.wukong.bundle.BundleStore;
import dev.wukong.runtime.Device;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.joining.Join;
import dev.wukong.serving.retraining.OnlineTrainer;
import dev.wukong.serving.retraining.OwnTurn;
import dev.wukong.serving.retraining.Turn;
import dev.wukong.serving.retraining.Turns;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import org.springframework.boot.autoconfigure.condition.ConditionalOnExpression;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.DependsOn;

/** What there is where a model learns. It closes before the store and the models. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnExpression("!'${wukong.online.model:}'.isEmpty()")
class OnlineConfiguration {
  @Bean
  EventLog eventLog(ServingProperties properties) {
    return Events.open(properties.online());
  }

  @Bean
  Events events(
      ServingProperties properties,
      EventLog log,
      RowStore store,
      Clock clock,
      MeterRegistry meters) {
    OnlineProperties online = properties.online();
    Events.beginAfter(log, online, Join.place(ServingConfiguration.states(store), online.model()));
    return new Events(log, online, clock::millis, meters);
  }

  private static Turns turns(Turn only) {
    return () -> only;
  }

  /** The trainer. Who loads versions closes after it: it trains one that serves. */
  @Bean(initMethod = "start")
  @DependsOn("bundleWatcher")
  OnlineTrainer onlineTrainer(
      ServingProperties properties,
      EngineOptions engine,
      ModelHost host,
      RowStore store,
      EventLog log,
      Events events,
      Clock clock,
      MeterRegistry meters) {
    OnlineProperties online = properties.online();
    Device device = online.usableDevice(engine, properties.engine().fallback());
    OnlineTrainer trainer =
        new OnlineTrainer(
            () -> host.model(online.model()).orElse(null),
            online.model(),
            tasks -> online.options(tasks, device, engine.precision()),
            online.commitEvery(),
            online.stallBreaker(),
            online.share(),
            log,
            turns(new OwnTurn(events.writer())),
            ServingConfiguration.states(store),
            new BundleStore(properties.bundleRoot().path()),
            meters,
            System::nanoTime,
            clock::millis);
    events.neededFrom(trainer::needed);
    if (properties.pauseMark().isSet()) {
      trainer.pause();
    }
    return trainer;
  }
}
