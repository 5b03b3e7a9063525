package dev.wukong.serving;

import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.BundleTrust;
import dev.wukong.runtime.Device;
import dev.wukong.serving.cluster.Cluster;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.joining.Join;
import dev.wukong.serving.retraining.LearnedGraphs;
import dev.wukong.serving.retraining.OnlineTrainer;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
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

  /** Closed before the log and the store; after the trainer and who takes calls. */
  @Bean
  EventPath eventPath(
      ServingProperties properties,
      EventLog log,
      RowStore store,
      ModelHost host,
      BundleTrust trust,
      Clock clock,
      MeterRegistry meters) {
    OnlineProperties online = properties.online();
    // Until it is known who needs what, nothing goes.
    AtomicReference<LongSupplier> needed = new AtomicReference<>(() -> 0);
    EventRetention retention =
        Events.retention(online, () -> needed.get().getAsLong(), clock::millis);
    if (properties.cluster().enabled()) {
      return EventPath.with(
          cluster(
              properties,
              log,
              retention,
              ServingConfiguration.states(store),
              host,
              trust,
              clock,
              meters),
          needed);
    }
    Events.beginAfter(log, online, Join.place(ServingConfiguration.states(store), online.model()));
    return EventPath.alone(new Events(log, retention, clock::millis, meters), needed);
  }

  private static Cluster cluster(
      ServingProperties properties,
      EventLog log,
      EventRetention retention,
      StateStore store,
      ModelHost host,
      BundleTrust trust,
      Clock clock,
      MeterRegistry meters) {
    String model = properties.online().model();
    LearnedGraphs graphs =
        new LearnedGraphs(
            new BundleStore(properties.bundleRoot().path(), trust),
            model,
            properties.engine().precision());
    return Cluster.join(
        properties.cluster().kafka().settings(),
        properties.cluster().replica(),
        properties.cluster().election(),
        properties.cluster().lease().settings(),
        model,
        host,
        store,
        graphs::of,
        log,
        retention,
        sharing(properties, store),
        clock::millis,
        meters);
  }

  private static Cluster.Sharing sharing(ServingProperties properties, StateStore store) {
    if (!(store instanceof RocksRowStore rocks)) {
      throw new IllegalStateException("a model that learns keeps its rows in RocksDB");
    }
    ClusterProperties.Shared shared = properties.cluster().checkpoints();
    return new Cluster.Sharing(
        properties.rows().storeDir().path(),
        rocks::copyTo,
        shared.of(properties.online().model()),
        shared.every());
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
      EventPath events,
      BundleTrust trust,
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
            events.turns(),
            ServingConfiguration.states(store),
            new BundleStore(properties.bundleRoot().path(), trust),
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
