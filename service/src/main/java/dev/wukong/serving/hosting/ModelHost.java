package dev.wukong.serving.hosting;

import dev.wukong.serving.batching.BatchPolicy;
import dev.wukong.serving.batching.Batcher;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All models by name. Any thread. Closing runs what was accepted, then closes every session. */
public final class ModelHost implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ModelHost.class);
  private static final long CLOSE_SECONDS = 10;

  private final BatchPolicy policy;
  private final LongSupplier work;
  private final Clock clock;
  private final MeterRegistry meters;
  private final Consumer<String> serves;
  private final NavigableMap<String, ServedModel> models = new ConcurrentSkipListMap<>();

  /**
   * A host without models.
   *
   * @param work as {@link EngineOptions#work}
   * @param serves told a model's name whenever a version of it begins to serve
   */
  public ModelHost(
      BatchPolicy policy,
      LongSupplier work,
      Clock clock,
      MeterRegistry meters,
      Consumer<String> serves) {
    this.work = work;
    this.serves = serves;
    this.policy = policy;
    this.clock = clock;
    this.meters = meters;
  }

  /**
   * The model of that name, made (without a version) where it is new. Called by the watcher only.
   */
  ServedModel add(String name) {
    return models.computeIfAbsent(
        name,
        n ->
            new ServedModel(
                n, new Batcher(n, policy, System::nanoTime, work, meters), clock, meters, serves));
  }

  /** The model of that name. */
  public Optional<ServedModel> model(String name) {
    return Optional.ofNullable(models.get(name));
  }

  /** The names of all models, in order. */
  public List<String> names() {
    return List.copyOf(models.keySet());
  }

  /** All models, by name. */
  public List<ServedModel> models() {
    return List.copyOf(models.values());
  }

  @Override
  public void close() {
    models.values().forEach(model -> model.batcher().close());
    for (ServedModel model : models.values()) {
      try {
        model.stop().get(CLOSE_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException | TimeoutException e) {
        log.warn("model '{}' did not close in {} s", model.name(), CLOSE_SECONDS, e);
      }
    }
  }
}
