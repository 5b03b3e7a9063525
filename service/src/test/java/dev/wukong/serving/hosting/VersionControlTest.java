package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.hosting.VersionControl.RolledBack;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Operators' orders while versions are loaded, with a watcher that looks when the test says so. */
class VersionControlTest {
  private final AtomicLong now = new AtomicLong(77);
  private final FailingStore store = new FailingStore();
  private final ModelHost host = Hosted.host();

  @TempDir private Path folder = Path.of("");

  @AfterEach
  void close() {
    host.close();
  }

  private BundleWatcher watcher(String... models) {
    HostingOptions options = Hosted.options(folder.resolve("bundles"));
    return new BundleWatcher(
        host,
        new HostingOptions(
            options.root(),
            List.of(models),
            options.poll(),
            options.engine(),
            options.rowFormat(),
            options.residentBytes(),
            Map.of(),
            options.plans(),
            options.maxRows()),
        store,
        RowThreads.none(),
        LearnedWeights.NONE,
        new SimpleMeterRegistry(),
        now::get);
  }

  private void write(String model, int version) throws Exception {
    new TinyModel(version).write(folder.resolve("bundles"), model, version);
  }

  private ServedModel model(String name) {
    return host.model(name).orElseThrow();
  }

  /** An operator's call on a thread of its own. */
  private static final class Call<T> {
    private final FutureTask<T> task;
    private final Thread thread;

    Call(Callable<T> call) {
      task = new FutureTask<>(call);
      thread = Thread.ofPlatform().daemon().unstarted(task);
    }

    /** Makes the call, unless it was made; on return its order waits. */
    void make() {
      if (thread.getState() != Thread.State.NEW) {
        return;
      }
      thread.start();
      try {
        Served.await("the order waits", () -> thread.getState() == Thread.State.WAITING);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }

    T answer() throws Exception {
      return task.get(1, TimeUnit.MINUTES);
    }
  }

  @Test
  void rollback_anotherVersionTakesOverMeanwhile_goesBackBehindTheOneThatWasSeen()
      throws Exception {
    BundleWatcher watcher = watcher();
    VersionControl control = new VersionControl(host, watcher);
    write("tiny", 5);
    write("tiny", 6);
    watcher.poll();
    write("tiny", 7);
    watcher.poll();
    assertThat(model("tiny").servingVersion()).isEqualTo(7);
    write("tiny", 8);
    Call<RolledBack> call = new Call<>(() -> control.rollback("tiny", 0, "7 is bad"));
    store.onWrite = call::make;

    watcher.poll();

    assertThat(call.answer().before()).isEqualTo(8);
    assertThat(model("tiny").servingVersion()).isEqualTo(6);
    watcher.poll();
    assertThat(model("tiny").loadedVersions()).containsExactly(6L);
  }

  @Test
  void rollback_twoCallsAboutTheSameVersion_goBackOnce() throws Exception {
    BundleWatcher watcher = watcher();
    VersionControl control = new VersionControl(host, watcher);
    write("tiny", 5);
    write("tiny", 6);
    write("tiny", 7);
    watcher.poll();
    Call<RolledBack> first = new Call<>(() -> control.rollback("tiny", 0, "7 is bad"));
    Call<RolledBack> second = new Call<>(() -> control.rollback("tiny", 0, "7 is bad"));
    first.make();
    second.make();

    watcher.poll();

    assertThat(first.answer().before()).isEqualTo(7);
    assertThat(second.answer().before()).isEqualTo(6);
    assertThat(model("tiny").servingVersion()).isEqualTo(6);
  }

  @Test
  void load_inThePauseAfterAFailureThatPasses_isTriedAtOnce() throws Exception {
    BundleWatcher watcher = watcher();
    VersionControl control = new VersionControl(host, watcher);
    write("tiny", 1);
    watcher.poll();
    store.fail("tiny", new OutOfMemoryError("Java heap space"));
    write("tiny", 2);
    watcher.poll();
    store.heal();
    watcher.poll();
    assertThat(model("tiny").servingVersion()).isEqualTo(1);
    Call<ServedModel> call = new Call<>(() -> control.load("tiny", 2, true));
    call.make();

    watcher.poll();

    assertThat(call.answer().servingVersion()).isEqualTo(2);
  }

  @Test
  void order_whileModelsAreLoaded_isDoneBetweenThem() throws Exception {
    BundleWatcher watcher = watcher("first", "second");
    VersionControl control = new VersionControl(host, watcher);
    write("first", 1);
    write("first", 2);
    write("second", 1);
    AtomicLong secondServed = new AtomicLong(-1);
    Call<RolledBack> call = new Call<>(() -> control.rollback("first", 1, "2 is bad"));
    store.onWrite =
        () -> {
          call.make();
          if (model("first").servingVersion() == 2) {
            // Now version 1 is loaded for the rollback.
            secondServed.compareAndSet(-1, model("second").servingVersion());
          }
        };

    watcher.poll();

    assertThat(call.answer().before()).isEqualTo(2);
    assertThat(secondServed).hasValue(0);
    assertThat(model("second").servingVersion()).isEqualTo(1);
  }

  @Test
  void order_forAModelThatWasNotLookedAt_findsLoadedWhatItsPolicyWants() throws Exception {
    BundleWatcher watcher = watcher("first", "second");
    VersionControl control = new VersionControl(host, watcher);
    write("first", 1);
    write("second", 3);
    Call<ServedModel> call = new Call<>(() -> control.label("second", "stable", 3));
    store.onWrite = call::make;

    watcher.poll();

    assertThat(call.answer().labels()).containsExactly(Map.entry("stable", 3L));
  }
}
