package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.wukong.serving.batching.BatchPolicy;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowFate;
import dev.wukong.serving.embedding.RowReader;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;
import org.springframework.boot.health.contributor.Status;

/** What the watcher does with versions that cannot be loaded, looked at by hand. */
class BundleWatcherTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final AtomicLong now = new AtomicLong(77);
  private final FailingStore store = new FailingStore();
  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
  private final ModelHost host =
      new ModelHost(
          new BatchPolicy(16, 64, Duration.ofSeconds(1), 1),
          System::nanoTime,
          Clock.systemUTC(),
          meters,
          model -> {});

  @TempDir private Path folder = Path.of("");

  private static List<Logger> loggers() {
    return Stream.of(BundleWatcher.class, VersionLoads.class)
        .map(type -> (Logger) LoggerFactory.getLogger(type))
        .toList();
  }

  @BeforeEach
  void listen() {
    logged.start();
    loggers().forEach(logger -> logger.addAppender(logged));
  }

  @AfterEach
  void close() {
    loggers().forEach(logger -> logger.detachAppender(logged));
    host.close();
  }

  private Path root() {
    return folder.resolve("bundles");
  }

  private HostingOptions options() {
    return Hosted.options(root());
  }

  private BundleWatcher watcher(RowStore rows) {
    return new BundleWatcher(
        host, options(), rows, RowThreads.none(), LearnedWeights.NONE, meters, now::get);
  }

  private long serving(String model) {
    return host.model(model).map(ServedModel::servingVersion).orElse(-1L);
  }

  private String refusal(String model) {
    return host.model(model).orElseThrow().versions().getFirst().phase()
            instanceof VersionState.Failed(String reason)
        ? reason
        : "";
  }

  private double gauge(String model) {
    return meters.get("wukong.hosting.refused").tag("model", model).gauge().value();
  }

  private List<String> errors() {
    return logged.list.stream()
        .filter(e -> e.getLevel().isGreaterOrEqual(Level.WARN))
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private void pass(Duration time) {
    now.addAndGet(time.toNanos());
  }

  static List<Throwable> failures() {
    return List.of(
        new OutOfMemoryError("Java heap space"),
        new StackOverflowError(),
        new InternalError("a fault in a mapped file"),
        new NoClassDefFoundError("some/Library"),
        new AssertionError("a defect"),
        new NullPointerException("a defect"),
        new ClassCastException("a defect"),
        new UncheckedIOException(new FileSystemException("x", "y", "No space left on device")));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void poll_oneModelFailsInAnyWay_isRefusedAndOthersServe(Throwable failure) throws Exception {
    new TinyModel(1).write(root(), "bad", 1);
    new TinyModel(1).write(root(), "good", 1);
    store.fail("bad", failure);
    BundleWatcher watcher = watcher(store);

    watcher.poll();
    watcher.poll();

    assertThat(serving("good")).isEqualTo(1);
    assertThat(serving("bad")).isZero();
    if (failure.getMessage() != null) {
      assertThat(refusal("bad")).contains(failure.getMessage());
    }
    assertThat(gauge("bad")).isEqualTo(1);
    assertThat(gauge("good")).isZero();
    assertThat(errors()).hasSize(1);
    assertThat(errors().getFirst())
        .startsWith("model 'bad' version 1 cannot be used, no version serves, ");
    assertThat(logged.list)
        .allMatch(e -> e.getLevel() == Level.DEBUG || e.getThrowableProxy() == null);
  }

  @Test
  void poll_failureThatPasses_isTriedAgainAfterPausesThatDoubleToFiveMinutes() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    store.fail("tiny", new OutOfMemoryError("Java heap space"));
    BundleWatcher watcher = watcher(store);
    watcher.poll();
    for (int seconds : List.of(2, 4, 8, 16, 32, 64, 128, 256, 300, 300)) {
      store.asked.set(0);
      pass(Duration.ofSeconds(seconds).minusNanos(1));
      watcher.poll();
      assertThat(store.asked).as("before %d s", seconds).hasValue(0);
      pass(Duration.ofNanos(1));
      watcher.poll();
      assertThat(store.asked).as("after %d s", seconds).hasPositiveValue();
    }
    assertThat(errors()).hasSize(1);
    assertThat(refusal("tiny")).isEqualTo("not enough memory: Java heap space");

    store.heal();
    pass(Duration.ofMinutes(5));
    watcher.poll();

    assertThat(serving("tiny")).isEqualTo(1);
    assertThat(gauge("tiny")).isZero();
  }

  @Test
  void poll_rootIsGone_saysSoAndForgetsNothing() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    Path broken = new TinyModel(2).write(root(), "tiny", 2);
    Files.delete(broken.resolve("predict.onnx"));
    BundleWatcher watcher = watcher(store);
    watcher.poll();

    Files.move(root(), folder.resolve("elsewhere"));
    watcher.poll();
    watcher.poll();

    assertThat(serving("tiny")).isEqualTo(1);
    assertThat(gauge("tiny")).isEqualTo(1);
    assertThat(logged.list.stream().map(ILoggingEvent::getFormattedMessage))
        .filteredOn(message -> message.contains("the folder is gone"))
        .hasSize(1);
  }

  @Test
  void poll_fileArrivesAfterTheManifest_isServedAtOnce() throws Exception {
    Path bundle = new TinyModel(1).write(root(), "tiny", 1);
    Path late = folder.resolve("late.onnx");
    Files.move(bundle.resolve("predict.onnx"), late);
    byte[] whole = Files.readAllBytes(late);
    BundleWatcher watcher = watcher(store);
    watcher.poll();
    assertThat(refusal("tiny")).contains("predict.onnx");

    Files.write(bundle.resolve("predict.onnx"), List.of("half a file"));
    watcher.poll();
    assertThat(refusal("tiny")).contains("predict.onnx").contains("bytes");
    Files.write(bundle.resolve("predict.onnx"), whole);
    watcher.poll();

    assertThat(serving("tiny")).isEqualTo(1);
  }

  @Test
  void poll_wrongHash_isNotTriedAgainUntilAFileChanges() throws Exception {
    Path graph = new TinyModel(1).write(root(), "tiny", 1).resolve("predict.onnx");
    byte[] right = Files.readAllBytes(graph);
    byte[] wrong = right.clone();
    wrong[wrong.length / 2] ^= 1;
    Files.write(graph, wrong);
    BundleWatcher watcher = watcher(store);
    for (int i = 0; i < 20; i++) {
      watcher.poll();
      pass(Duration.ofHours(1));
    }
    assertThat(refusal("tiny")).contains("sha256");
    assertThat(tries()).isEqualTo(1);

    Files.write(graph, right);
    watcher.poll();

    assertThat(serving("tiny")).isEqualTo(1);
  }

  /** What a folder says in which this process may not list a folder; root may list them all. */
  @Test
  void poll_folderCannotBeListed_isRefusedAndTheVersionBeforeServes() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    Path second = new TinyModel(2).write(root(), "tiny", 2);
    AtomicBoolean denied = new AtomicBoolean(true);
    BundleWatcher watcher =
        new BundleWatcher(
            host,
            options(),
            store,
            RowThreads.none(),
            LearnedWeights.NONE,
            meters,
            now::get,
            bundle -> {
              if (denied.get() && bundle.equals(second)) {
                throw new AccessDeniedException(bundle.resolve("rows").toString());
              }
              return FolderState.of(bundle);
            });

    watcher.poll();
    watcher.poll();

    assertThat(serving("tiny")).isEqualTo(1);
    assertThat(refusal("tiny")).contains("AccessDenied").contains(second + "/rows");
    assertThat(gauge("tiny")).isEqualTo(1);
    assertThat(tries()).isEqualTo(1);
    assertThat(errors()).hasSize(1);
    pass(Hosted.POLL);
    watcher.poll();
    assertThat(tries()).isEqualTo(2);

    denied.set(false);
    watcher.poll();

    assertThat(serving("tiny")).isEqualTo(2);
    assertThat(gauge("tiny")).isZero();
  }

  @Test
  void close_duringAnImport_givesItUpAndRefusesNothing() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    new TinyModel(1).write(root(), "tiny", 2);
    BundleWatcher watcher = watcher(store);
    store.onWrite = watcher::close;

    watcher.poll();

    assertThat(store.writes).hasValue(1);
    assertThat(serving("tiny")).isZero();
    assertThat(gauge("tiny")).isZero();
    assertThat(store.imported(new RowsView("tiny", 2, 0))).isEmpty();
    List<ILoggingEvent> said =
        logged.list.stream().filter(e -> e.getLevel().isGreaterOrEqual(Level.INFO)).toList();
    assertThat(said).hasSize(1);
    assertThat(said.getFirst().getLevel()).isEqualTo(Level.INFO);
    assertThat(said.getFirst().getFormattedMessage())
        .isEqualTo("model 'tiny' version 2: the load was given up, stopping");
  }

  @Test
  void poll_afterARestart_takesRowsFromTheStoreAndWritesNone() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    Path rows = folder.resolve("store");
    try (RowStore rocks = RocksRowStore.open(rows)) {
      FailingStore first = new FailingStore(rocks);
      watcher(first).poll();
      assertThat(serving("tiny")).isEqualTo(1);
      assertThat(first.writes).hasPositiveValue();
    }
    try (RowStore rocks = RocksRowStore.open(rows);
        ModelHost next = Hosted.host()) {
      FailingStore second = new FailingStore(rocks);
      new BundleWatcher(
              next, options(), second, RowThreads.none(), LearnedWeights.NONE, meters, now::get)
          .poll();
      assertThat(next.model("tiny").orElseThrow().servingVersion()).isEqualTo(1);
      assertThat(second.writes).hasValue(0);
    }
  }

  @Test
  void poll_refusedVersionWhileNoneServes_leavesNoRows() throws Exception {
    // Its golden rows are wrong, which shows only after its rows have come in.
    new TinyModel(1).write(root(), "tiny", 3, 0.01f);
    watcher(store).poll();

    assertThat(refusal("tiny")).startsWith("golden rows");
    assertThat(store.writes).hasPositiveValue();
    assertThat(store.stored()).isEmpty();
  }

  @Test
  void poll_failureThatPassesWhileNoneServes_keepsTheRowsForTheNextTry() throws Exception {
    new TinyModel(1).write(root(), "tiny", 3);
    store.onWrite =
        () -> {
          throw new OutOfMemoryError("Java heap space");
        };
    watcher(store).poll();

    assertThat(store.stored()).containsExactly(new RowsView("tiny", 3, 0));
  }

  @Test
  void poll_rowsOfARefusedVersionCannotBeDropped_goesOnWithTheVersionBefore() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    new TinyModel(2).write(root(), "tiny", 2, 0.01f);
    StoreException failure = storeFailure();
    store.onList =
        () -> {
          throw failure;
        };
    watcher(store).poll();

    assertThat(serving("tiny")).isEqualTo(1);
    assertThat(refusal("tiny")).startsWith("golden rows");
  }

  private static StoreException storeFailure() {
    try (RowStore rows = new HeapRowStore()) {
      RowsView view = new RowsView("any", 1, 0);
      rows.apply(new RowCommit(view, 1, new long[] {1}, new float[] {1}));
      try (RowReader reader = rows.reader(view)) {
        return catchThrowableOfType(
            StoreException.class,
            () -> reader.read(2, new long[] {1}, 1, new float[2], new RowFate[1]));
      }
    }
  }

  private double tries() {
    return meters.get("wukong.hosting.loads").tag("outcome", "refused").counter().count();
  }

  @Test
  void poll_goldenRowsWrong_isNotTriedAgainAndForgottenWhenRemoved() throws Exception {
    Path bundle = new TinyModel(1).write(root(), "tiny", 2, 0.01f);
    BundleWatcher watcher = watcher(store);
    for (int i = 0; i < 3; i++) {
      watcher.poll();
      pass(Duration.ofHours(1));
    }
    assertThat(tries()).isEqualTo(1);
    assertThat(gauge("tiny")).isEqualTo(1);

    Files.move(bundle, folder.resolve("elsewhere"));
    watcher.poll();

    assertThat(gauge("tiny")).isZero();
    assertThat(host.model("tiny").orElseThrow().versions()).isEmpty();
  }

  @Test
  void poll_anotherFailureOfTheSameVersion_isLoggedToo() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    BundleWatcher watcher = watcher(store);
    for (Throwable failure :
        List.of(
            new OutOfMemoryError("one"), new OutOfMemoryError("one"), new AssertionError("2"))) {
      store.fail("tiny", failure);
      watcher.poll();
      pass(Duration.ofMinutes(6));
    }
    assertThat(errors()).hasSize(2);
  }

  /** The thread is interrupted here, as nothing else is known to end it. */
  @Test
  void watches_threadHasEnded_isFalseAndLivenessFails() throws Exception {
    Files.createDirectories(root());
    store.onList = () -> Thread.currentThread().interrupt();
    BundleWatcher watcher = watcher(store);
    WatcherHealthIndicator health = new WatcherHealthIndicator(watcher);
    assertThat(health.health().getStatus()).isEqualTo(Status.UP);

    watcher.start();

    Served.await("the thread ends", () -> !watcher.watches());
    assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);
    watcher.close();
  }
}
