package dev.wukong.serving.cluster;

import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.StoreException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.FileSystemUtils;

/**
 * Makes a checkpoint of this replica's store from time to time, while it trains: so that one who
 * comes late need not read all commits. On a thread of its own.
 */
final class CheckpointWriter implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CheckpointWriter.class);
  private static final Duration CLOSE = Duration.ofSeconds(30);

  private final Checkpoints checkpoints;
  private final Consumer<Path> copy;
  private final Path folder;
  private final String model;
  private final String replica;
  private final Duration every;
  private final BooleanSupplier trains;
  private final LongSupplier clock;
  private final Thread thread;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicLong lastMs = new AtomicLong();
  private final AtomicLong lastSequence = new AtomicLong();
  private final Counter made;
  private final Counter failed;

  /**
   * One that begins with {@link #start}.
   *
   * @param copy writes the store to a folder that is not there, as {@link RocksRowStore#copyTo}
   * @param folder of the store: the copy lies beside it
   * @param trains whether this replica does
   */
  CheckpointWriter(
      Checkpoints checkpoints,
      Consumer<Path> copy,
      Path folder,
      String model,
      String replica,
      Duration every,
      BooleanSupplier trains,
      LongSupplier clock,
      MeterRegistry registry) {
    this.checkpoints = checkpoints;
    this.copy = copy;
    this.folder = folder;
    this.model = model;
    this.replica = replica;
    this.every = every;
    this.trains = trains;
    this.clock = clock;
    this.thread = Thread.ofPlatform().name("checkpoints-" + model).unstarted(this::work);
    made = counter("Checkpoints that this replica made", "made", registry);
    failed = counter("Checkpoints that this replica could not make", "failed", registry);
    Gauge.builder("wukong.checkpoint.made", lastMs, ms -> ms.get() / 1e3)
        .description("When this replica made its last checkpoint: seconds since 1970-01-01 UTC")
        .baseUnit("seconds")
        .tag("model", model)
        .register(registry);
    Gauge.builder("wukong.checkpoint.sequence", lastSequence, AtomicLong::doubleValue)
        .description("The commit that its last checkpoint ends with")
        .tag("model", model)
        .register(registry);
  }

  private Counter counter(String description, String outcome, MeterRegistry registry) {
    return Counter.builder("wukong.checkpoints")
        .description(description)
        .tag("model", model)
        .tag("outcome", outcome)
        .register(registry);
  }

  void start() {
    thread.start();
  }

  private void work() {
    try {
      while (!ended.await(every.toMillis(), TimeUnit.MILLISECONDS)) {
        if (trains.getAsBoolean()) {
          make();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Makes one now. */
  void make() {
    Path beside = folder.resolveSibling(folder.getFileName() + ".checkpoint");
    try {
      boolean _ = FileSystemUtils.deleteRecursively(beside);
      copy.accept(beside);
      CommitOrder order = orderIn(beside);
      if (order.sequence() == lastSequence.get()) {
        return; // Nothing has happened.
      }
      Checkpoint done = checkpoints.put(beside, order, replica, clock.getAsLong());
      made.increment();
      lastMs.set(done.madeMs());
      lastSequence.set(done.sequence());
      log.info("model '{}': {} is made, of {} files", model, done.name(), done.files().size());
    } catch (IOException | StoreException | CommitException e) {
      failed.increment();
      log.warn("model '{}': no checkpoint was made: {}", model, e.getMessage());
    } finally {
      try {
        boolean _ = FileSystemUtils.deleteRecursively(beside);
      } catch (IOException e) {
        log.warn("{} cannot be removed: {}", beside, e.getMessage());
      }
    }
  }

  /** What the copy holds, which shows that it can be opened. */
  private CommitOrder orderIn(Path store) {
    try (RocksRowStore opened = RocksRowStore.open(store)) {
      return CommitOrder.read(opened, model);
    }
  }

  @Override
  public void close() {
    ended.countDown();
    try {
      if (thread.isAlive() && !thread.join(CLOSE)) {
        log.warn("a checkpoint does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
