package dev.wukong.serving;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.BundleTrust;
import dev.wukong.data.Table;
import dev.wukong.runtime.Device;
import dev.wukong.serving.cluster.Cluster;
import dev.wukong.serving.embedding.RedisRowStore;
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
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
import org.springframework.boot.autoconfigure.condition.ConditionalOnExpression;
import org.springframework.boot.ssl.SslBundles;
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
      SslBundles tls,
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
              new BundleStore(properties.bundleRoot().path(), trust),
              tls,
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
      BundleStore bundles,
      SslBundles tls,
      Clock clock,
      MeterRegistry meters) {
    String model = properties.online().model();
    LearnedGraphs graphs = new LearnedGraphs(bundles, model, properties.engine().precision());
    return Cluster.join(
        properties.cluster().kafka().settings(tls),
        properties.cluster().replica(),
        properties.cluster().election(),
        properties.cluster().lease().settings(),
        model,
        host,
        store,
        graphs::of,
        log,
        retention,
        sharing(properties, store, bundles, tls),
        clock::millis,
        meters);
  }

  private static Optional<Cluster.Sharing> sharing(
      ServingProperties properties, StateStore store, BundleStore bundles, SslBundles tls) {
    if (!(store instanceof RocksRowStore rocks)) {
      return Optional.empty(); // It serves what others have learned, and keeps nothing.
    }
    ClusterProperties.Shared shared = properties.cluster().checkpoints();
    String model = properties.online().model();
    Optional<Cluster.Mirror> mirror =
        properties.cluster().mirror()
            ? Optional.of(
                new Cluster.Mirror(
                    () -> RedisRowStore.open(properties.rows().redis().settings(tls)),
                    bundle -> widths(bundles, model, bundle)))
            : Optional.empty();
    return Optional.of(
        new Cluster.Sharing(
            properties.rows().storeDir().path(),
            rocks::copyTo,
            shared.of(model),
            shared.every(),
            mirror));
  }

  private static IntUnaryOperator widths(BundleStore bundles, String model, long version)
      throws IOException {
    try (Bundle bundle = bundles.open(model, version)) {
      List<Table> tables = bundle.layout().tables();
      return table -> tables.get(table).width();
    }
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
