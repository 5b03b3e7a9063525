package dev.wukong.serving;

import com.sun.management.ThreadMXBean;
import dev.wukong.bundle.BundleTrust;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.admin.AdminServer;
import dev.wukong.serving.admin.AdminService;
import dev.wukong.serving.cluster.Cluster;
import dev.wukong.serving.cluster.ReplicaHealthIndicator;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.MirroredRows;
import dev.wukong.serving.embedding.RedisRowStore;
import dev.wukong.serving.embedding.RedisSettings;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.engine.GpuMeters;
import dev.wukong.serving.hosting.BatchersHealthIndicator;
import dev.wukong.serving.hosting.BundleWatcher;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.HostingOptions;
import dev.wukong.serving.hosting.LearnedWeights;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ModelsHealthIndicator;
import dev.wukong.serving.hosting.QuietCompilers;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.hosting.VersionControl;
import dev.wukong.serving.hosting.WatcherHealthIndicator;
import dev.wukong.serving.inference.InferenceService;
import dev.wukong.serving.inference.InferenceStatistics;
import dev.wukong.serving.predict.FeatureLog;
import dev.wukong.serving.predict.FeedbackService;
import dev.wukong.serving.predict.FeedbackTokens;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.serving.predict.PredictService;
import dev.wukong.serving.predict.PredictionIds;
import dev.wukong.serving.predict.ReadableRequests;
import dev.wukong.serving.predict.StatusService;
import dev.wukong.serving.retraining.LearnedStore;
import dev.wukong.serving.retraining.OnlineHealthIndicator;
import dev.wukong.serving.retraining.OnlineTrainer;
import dev.wukong.serving.retraining.TrainingControl;
import dev.wukong.serving.security.CallGuard;
import dev.wukong.serving.security.ConnectedCaller;
import dev.wukong.serving.sight.Sights;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.grpc.MetricCollectingServerInterceptor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.grpc.server.autoconfigure.GrpcServerExecutorProvider;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.grpc.server.service.DefaultGrpcServiceConfigurer;
import org.springframework.grpc.server.service.GrpcServiceConfigurer;

/**
 * Puts the parts together. Beans close in the reverse order: edge, watcher, host with its batchers,
 * readers, store.
 */
@Configuration(proxyBeanMethods = false)
class ServingConfiguration {
  @Bean
  Clock clock() {
    return Clock.systemUTC();
  }

  @Bean
  ConnectorErrors.Customizer connectorErrors() {
    return new ConnectorErrors.Customizer();
  }

  @Bean
  RowStore rowStore(ServingProperties properties, SslBundles bundles) {
    return switch (properties.rows().store()) {
      case ROCKS -> {
        restore(properties);
        yield openStore(properties.rows());
      }
      case MEMORY -> new HeapRowStore();
      case REDIS -> {
        RedisRowStore redis = openCluster(properties.rows().redis().settings(bundles));
        yield properties.servesMirrored()
            ? new MirroredRows(redis, properties.online().model())
            : redis;
      }
    };
  }

  /** Begins with what another replica has learned, where this one has nothing that is of use. */
  private static void restore(ServingProperties properties) {
    Path folder = properties.rows().storeDir().path();
    String location = properties.cluster().checkpoints().location();
    properties
        .cluster()
        .checkpoints()
        .of(properties.online().model())
        .filter(_ -> properties.cluster().enabled())
        .ifPresent(
            checkpoints -> {
              try (checkpoints) {
                Cluster.restore(folder, checkpoints);
              } catch (IOException e) {
                throw new SettingException(
                    "wukong.cluster.checkpoints.location is '%s', and cannot be read: %s"
                        .formatted(location, e.getMessage()),
                    e);
              }
            });
  }

  private static RowStore openStore(ServingProperties.Rows rows) {
    Path folder = rows.storeDir().ownersAlone();
    try {
      return RocksRowStore.open(folder, rows.format(), rows.storeCache().toBytes());
    } catch (StoreException e) {
      throw new SettingException(
          ("wukong.rows.store-dir is '%s', allowed is a folder that this process may write and no"
                  + " other process uses: %s")
              .formatted(folder, e.getMessage()),
          e);
    }
  }

  private static RedisRowStore openCluster(RedisSettings settings) {
    try {
      return RedisRowStore.open(settings);
    } catch (StoreException e) {
      throw new SettingException(
          ("wukong.rows.redis.addresses are %s, allowed are those of a Redis or Valkey cluster that"
                  + " this process may use: %s")
              .formatted(settings.addresses(), e.getMessage()),
          e);
    }
  }

  @Bean
  RowThreads rowThreads(ServingProperties properties, MeterRegistry meters) {
    return RowThreads.start(properties.rows().readers(), meters);
  }

  /** Fails where no device can be used, before any model is loaded. */
  @Bean
  EngineOptions engineOptions(ServingProperties properties) {
    return properties.engine().usable();
  }

  @Bean
  GpuMeters gpuMeters(EngineOptions engine) {
    return GpuMeters.of(engine);
  }

  @Bean
  ModelHost modelHost(
      ServingProperties properties,
      EngineOptions engine,
      Clock clock,
      MeterRegistry meters,
      HealthStatusManager health) {
    return new ModelHost(
        properties.batching().policy(properties.engine().runsAtOnce(engine)),
        engine.work(),
        clock,
        meters,
        model -> {
          QuietCompilers.begin(); // Until now, the sooner all is compiled the sooner it is ready.
          health.setStatus(model, ServingStatus.SERVING);
          health.setStatus(RankingServiceGrpc.SERVICE_NAME, ServingStatus.SERVING);
        });
  }

  @Bean
  ModelsHealthIndicator modelsHealthIndicator(ModelHost host) {
    return new ModelsHealthIndicator(host);
  }

  @Bean
  BatchersHealthIndicator batchersHealthIndicator(ModelHost host) {
    return new BatchersHealthIndicator(host);
  }

  @Bean
  LameDuck lameDuck(HealthStatusManager health, ServingProperties properties) {
    return new LameDuck(health, properties.lameDuck());
  }

  @Bean
  BundleTrust bundleTrust(ServingProperties properties) {
    return properties.bundles().trust(properties.online().signingKey());
  }

  @Bean(initMethod = "start")
  BundleWatcher bundleWatcher(
      ModelHost host,
      ServingProperties properties,
      EngineOptions engine,
      RowStore store,
      RowThreads rowThreads,
      BundleTrust trust,
      MeterRegistry meters) {
    HostingOptions hosting = properties.hosting(engine, trust);
    LearnedWeights learned =
        properties.online().enabled()
            ? new LearnedStore(
                properties.online().model(), states(store), properties.engine().precision())
            : LearnedWeights.NONE;
    return new BundleWatcher(host, hosting, store, rowThreads, learned, meters, System::nanoTime);
  }

  /** What was set has been checked: the store that was chosen keeps state. */
  static StateStore states(RowStore store) {
    if (store instanceof StateStore states) {
      return states;
    }
    throw new IllegalStateException("the row store keeps rows alone");
  }

  @Bean
  WatcherHealthIndicator watcherHealthIndicator(BundleWatcher watcher) {
    return new WatcherHealthIndicator(watcher);
  }

  @Bean
  PredictLimits predictLimits(ServingProperties properties) {
    return properties.limits().limits();
  }

  @Bean
  FeedbackTokens feedbackTokens(ServingProperties properties) {
    return properties.feedback().tokens();
  }

  @Bean
  PredictService predictService(
      ModelHost host,
      PredictLimits limits,
      Clock clock,
      ServingProperties properties,
      ObjectProvider<EventPath> events,
      FeedbackTokens tokens,
      MeterRegistry meters,
      Sights sights) {
    OnlineProperties online = properties.online();
    @Nullable EventPath logged = events.getIfAvailable();
    FeatureLog features =
        logged == null
            ? FeatureLog.none()
            : FeatureLog.of(logged.sink(), online.model()::equals, online.sample());
    return new PredictService(
        host,
        limits,
        new PredictionIds(clock, new SecureRandom(), tokens),
        features,
        meters,
        sights);
  }

  @Bean
  StatusService statusService(ModelHost host, EngineOptions engine, TrainingControl training) {
    return new StatusService(host, engine.devices(), training);
  }

  @Bean
  TrainingControl trainingControl(
      ModelHost host, ObjectProvider<OnlineTrainer> trainer, ServingProperties properties) {
    return new TrainingControl(
        host, Optional.ofNullable(trainer.getIfAvailable()), properties.pauseMark());
  }

  @Bean
  InferenceService inferenceService(
      ModelHost host, PredictService predict, PredictLimits limits, MeterRegistry meters) {
    return new InferenceService(host, predict, new InferenceStatistics(host, meters), limits);
  }

  /** Part of no probe but {@code ingest}: predictions go on without it. */
  @Bean
  HealthIndicator onlineHealthIndicator(
      ObjectProvider<OnlineTrainer> trainer, ObjectProvider<EventPath> events) {
    OnlineTrainer learns = trainer.getIfAvailable();
    EventPath logged = events.getIfAvailable();
    return learns == null || logged == null
        ? OnlineHealthIndicator.off()
        : OnlineHealthIndicator.of(learns, logged.sink());
  }

  @Bean
  HealthIndicator currentHealthIndicator(ObjectProvider<EventPath> events) {
    return ReplicaHealthIndicator.current(
        () ->
            Optional.ofNullable(events.getIfAvailable())
                .flatMap(EventPath::cluster)
                .map(Cluster::replica));
  }

  @Bean
  HealthIndicator replicaHealthIndicator(ObjectProvider<EventPath> events) {
    return Optional.ofNullable(events.getIfAvailable())
        .flatMap(EventPath::cluster)
        .map(cluster -> ReplicaHealthIndicator.of(cluster.replica()))
        .orElseGet(ReplicaHealthIndicator::off);
  }

  @Bean
  AdminServer adminServer(
      ServingProperties properties,
      ModelHost host,
      BundleWatcher watcher,
      StatusService status,
      TrainingControl training,
      SslBundles bundles,
      MetricCollectingServerInterceptor calls,
      CallGuard guard,
      ConnectedCaller connected,
      MeterRegistry meters) {
    ServingProperties.Admin admin = properties.admin();
    AdminService service =
        new AdminService(new VersionControl(host, watcher), training, status::describe);
    return new AdminServer(
        new InetSocketAddress(admin.address(), admin.port()),
        admin.sslBundle().isEmpty() ? null : bundles.getBundle(admin.sslBundle()),
        List.of(service, status),
        List.of(guard, calls), // The last one is called first.
        connected,
        properties.limits().resets(),
        EdgeConfiguration.counted(properties, "admin", meters));
  }

  @Bean
  FeedbackService feedbackService(
      ModelHost host,
      ServingProperties properties,
      ObjectProvider<EventPath> events,
      PredictLimits limits,
      FeedbackTokens tokens,
      Clock clock) {
    @Nullable EventPath logged = events.getIfAvailable();
    OnlineProperties online = properties.online();
    return logged == null
        ? FeedbackService.off()
        : FeedbackService.of(
            logged.sink(),
            () -> tasks(host, online.model()),
            online.horizon().plus(online.exposure()),
            limits.candidates(),
            clock::millis,
            tokens,
            online.model());
  }

  /** Of the version that serves; none while none does. */
  private static List<String> tasks(ModelHost host, String model) {
    HostedModel serving = host.model(model).map(ServedModel::lease).orElse(null);
    if (serving == null) {
      return List.of();
    }
    try {
      return serving.taskNames();
    } finally {
      serving.release();
    }
  }

  @Bean
  GrpcServiceConfigurer readableRequests(ApplicationContext context, MeterRegistry meters) {
    DefaultGrpcServiceConfigurer usual = new DefaultGrpcServiceConfigurer(context);
    usual.afterPropertiesSet();
    ReadableRequests readable = new ReadableRequests(meters);
    return (service, server) -> readable.over(usual.configure(service, server));
  }

  /** Where models run, whatever was set: who waits for a GPU sees that it is the CPU. */
  @Bean
  MeterBinder engineDevices(EngineOptions engine) {
    return registry ->
        engine
            .devices()
            .forEach(
                device ->
                    Gauge.builder("wukong.engine.device", () -> 1)
                        .description("1 for each device that runs models")
                        .tag("device", device.toString())
                        .register(registry));
  }

  /** What all threads have ever taken from the heap: by candidate it is what one costs. */
  @Bean
  MeterBinder allocation() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    return registry ->
        FunctionCounter.builder(
                "wukong.process.allocated", threads, ThreadMXBean::getTotalThreadAllocatedBytes)
            .description("Heap memory that threads have allocated since the start")
            .baseUnit("bytes")
            .register(registry);
  }

  /** Calls run on virtual threads: they wait for batches, and native calls are made elsewhere. */
  @Bean
  GrpcServerExecutorProvider grpcExecutor() {
    ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("grpc").factory());
    return () -> threads;
  }
}
