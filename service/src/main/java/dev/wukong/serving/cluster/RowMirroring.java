package dev.wukong.serving.cluster;

import dev.wukong.serving.cluster.CommitReader.Entry;
import dev.wukong.serving.embedding.RedisRowStore;
import dev.wukong.serving.embedding.RowMirror;
import dev.wukong.serving.embedding.RowMirror.Written;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Writes the rows of each commit to Redis while this replica trains, for those that serve them from
 * there. It follows the commits as replicas do, so that training waits for nothing, and another one
 * that trains later goes on where this one was. On a thread of its own.
 */
final class RowMirroring implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RowMirroring.class);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final Duration AGAIN = Duration.ofSeconds(1);
  private static final Duration CLOSE = Duration.ofSeconds(30);

  private static final Duration SAY = Duration.ofSeconds(30);

  /** Between two looks at which versions are loaded here and there in Redis. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  /** Commits that no replica of a master has said to have, at most: those written last. */
  private static final int MOST_DOUBTED = 1000;

  private final KafkaSettings settings;
  private final String name;
  private final String model;
  private final ModelHost host;
  private final StateStore store;
  private final Cluster.Mirror to;
  private final BooleanSupplier trains;
  private final Thread thread;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicLong sequence = new AtomicLong();
  private final Counter commits;
  private final Counter brought;
  private final Counter failures;

  /** Opened when it is first needed, closed with this. Its thread's. */
  private @Nullable RedisRowStore redis;

  /** In it. */
  private @Nullable RowMirror mirror;

  /** What a master that fails may take along. Its thread's. */
  private final Deque<Doubted> doubted = new ArrayDeque<>();

  private long looked;

  /** When it last was said that rows cannot be written; 0: never. */
  private long said;

  /** A commit whose rows were written. */
  private record Doubted(CommitRecord.Made record, RowsView view) {}

  /**
   * One that begins with {@link #start}.
   *
   * @param trains whether this replica does
   */
  RowMirroring(
      KafkaSettings settings,
      String name,
      String model,
      ModelHost host,
      StateStore store,
      Cluster.Mirror to,
      BooleanSupplier trains,
      MeterRegistry registry) {
    this.settings = settings;
    this.name = name + "-mirror";
    this.model = model;
    this.host = host;
    this.store = store;
    this.to = to;
    this.trains = trains;
    this.thread = Thread.ofPlatform().name("mirror-" + model).unstarted(this::work);
    commits = counter("commits", "Commits whose rows this replica wrote to Redis", registry);
    brought = counter("bundles", "Versions whose rows this replica brought to Redis", registry);
    failures =
        counter("failures", "Times that writing to Redis failed here and began again", registry);
    Gauge.builder("wukong.mirror.sequence", sequence, AtomicLong::doubleValue)
        .description("The last commit whose rows this replica wrote to Redis")
        .tag("model", model)
        .register(registry);
  }

  private Counter counter(String what, String description, MeterRegistry registry) {
    return Counter.builder("wukong.mirror." + what)
        .description(description)
        .tag("model", model)
        .register(registry);
  }

  void start() {
    thread.start();
  }

  private boolean ends() {
    return ended.getCount() == 0 || !trains.getAsBoolean();
  }

  private void work() {
    try {
      do {
        if (!ends()) {
          tryMirror();
        }
      } while (!ended.await(AGAIN.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (redis != null) {
        redis.close();
      }
    }
  }

  private void tryMirror() {
    try {
      RowMirror opened = mirror;
      if (opened == null) {
        redis = to.connect().get();
        opened = new RowMirror(redis, model);
        mirror = opened;
      }
      mirror(opened);
    } catch (StoreException | KafkaException | CommitException | IOException e) {
      failures.increment();
      // A node that is away is away for many tries.
      boolean first = said == 0 || System.nanoTime() - said > SAY.toNanos();
      said = first ? System.nanoTime() : said;
      log.atLevel(first ? Level.WARN : Level.DEBUG)
          .log("model '{}': rows cannot be written to Redis, tried again: {}", model, reason(e));
    } catch (RuntimeException e) { // Or nobody would ever write them again.
      failures.increment();
      log.error("model '{}': rows cannot be written to Redis, tried again", model, e);
    }
  }

  private static String reason(Exception e) {
    return e instanceof StoreException || e instanceof IOException
        ? String.valueOf(e.getMessage())
        : KafkaReasons.of(e);
  }

  private void mirror(RowMirror mirror) throws IOException {
    looked = 0;
    if (!mirror.open()) {
      begin(mirror);
    }
    try {
      follow(mirror);
    } catch (GapException e) {
      log.warn("model '{}': {}: all rows are written to Redis again", model, e.getMessage());
      begin(mirror);
      follow(mirror);
    }
  }

  private void begin(RowMirror mirror) {
    doubted.clear();
    CommitOrder order = CommitOrder.read(store, model);
    mirror.begin(order.sequence(), List.of(order.put()));
  }

  private void follow(RowMirror mirror) throws IOException {
    CommitOrder from = CommitOrder.read(mirror);
    if (said == 0) {
      log.info("model '{}': rows are written to Redis after commit {}", model, from.sequence());
    }
    try (CommitReader reader = new CommitReader(settings, name, model, from)) {
      while (!ends()) {
        look(mirror);
        if (reader.next(POLL) instanceof Entry.Happened(CommitOrder order, var record)) {
          write(mirror, reader, order, record);
        }
        sequence.set(mirror.sequence());
      }
    }
  }

  private void write(
      RowMirror mirror, CommitReader reader, CommitOrder order, CommitRecord.Made record) {
    ModelCommit commit = reader.served(record).with(List.of(order.put()));
    Written written = mirror.apply(record.bundle(), commit.rows(), commit.state());
    commits.increment();
    if (said != 0) {
      said = 0;
      log.info("model '{}': rows are written to Redis again", model);
    }
    if (!written.replicated()) {
      doubted.add(new Doubted(record, written.view()));
      if (doubted.size() > MOST_DOUBTED) {
        doubted.removeFirst();
      }
    } else if (!mirror.mastersChanged()) {
      doubted.clear(); // Whoever has this has what was written before.
    } else {
      writeAgain(mirror, reader);
    }
  }

  /** A replica that took over may lack them. */
  private void writeAgain(RowMirror mirror, CommitReader reader) {
    if (!doubted.isEmpty()) {
      log.info("model '{}': {} commits are written to Redis again", model, doubted.size());
    }
    boolean replicated = true;
    for (Doubted one : doubted) {
      replicated &= mirror.again(one.view(), reader.served(one.record()).rows());
    }
    if (replicated) {
      doubted.clear();
    }
  }

  /** Brings in what is loaded here and not there, and lets go of what is not loaded any more. */
  private void look(RowMirror mirror) throws IOException {
    ServedModel served = host.model(model).orElse(null);
    if (served == null || (looked != 0 && System.nanoTime() - looked < LOOK.toNanos())) {
      return;
    }
    looked = System.nanoTime();
    Set<Long> loaded = served.loadedVersions();
    for (long bundle : loaded) {
      if (!mirror.has(bundle)) {
        log.info("model '{}' version {}: its rows are brought to Redis", model, bundle);
        boolean there =
            mirror.bring(
                store,
                bundle,
                () -> CommitOrder.read(store, model).sequence(),
                to.widths().of(bundle),
                this::ends);
        if (there) {
          brought.increment();
          log.info("model '{}' version {}: its rows are in Redis", model, bundle);
        }
      }
    }
    if (!loaded.isEmpty()) {
      mirror.keepOnly(loaded);
    }
  }

  @Override
  public void close() {
    ended.countDown();
    try {
      if (thread.isAlive() && !thread.join(CLOSE)) {
        log.warn("rows are still written to Redis");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
