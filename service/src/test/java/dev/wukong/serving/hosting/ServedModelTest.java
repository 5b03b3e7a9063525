package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.hosting.Routing.Share;
import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServedModelTest {
  @Test
  void versions_manyNewerOnesRefused_stillHasTheOneThatServes(@TempDir Path root) throws Exception {
    try (ModelHost host = Hosted.host()) {
      ServedModel model = host.add("tiny");
      model.add(Hosted.load(new TinyModel(1).write(root, "tiny", 1)));
      model.serve(1);

      for (long version = 2; version <= 50; version++) {
        model.failed(version, "a reason");
      }

      List<VersionState> versions = model.versions();
      assertThat(versions.getLast().version()).isEqualTo(1);
      assertThat(versions.getLast().phase()).isEqualTo(new VersionState.Serving());
      assertThat(versions.subList(0, versions.size() - 1).stream().map(VersionState::version))
          .containsExactlyElementsOf(
              LongStream.rangeClosed(20, 50).map(v -> 70 - v).boxed().toList());
    }
  }

  @Test
  void versions_loadedAgainWhileItDrains_staysReadyWhenTheOldOneIsClosed(@TempDir Path root)
      throws Exception {
    try (ModelHost host = Hosted.host()) {
      ServedModel model = host.add("tiny");
      Path first = new TinyModel(1).write(root, "tiny", 1);
      model.add(Hosted.load(first));
      model.add(Hosted.load(new TinyModel(2).write(root, "tiny", 2)));
      model.serve(2);
      HostedModel old = Objects.requireNonNull(model.leaseVersion(1));
      model.retain(Set.of(2L));
      assertThat(model.versions().getLast().phase()).isEqualTo(new VersionState.Draining());
      model.add(Hosted.load(first));
      assertThat(model.versions().getLast().phase()).isEqualTo(new VersionState.Ready());

      old.release();
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread.getName().equals("close-tiny-1")) {
          thread.join(); // Whoever waits for the close is told on this thread.
        }
      }

      assertThat(old.closed().toCompletableFuture()).isDone();
      assertThat(model.versions().getLast().phase()).isEqualTo(new VersionState.Ready());
    }
  }

  private static HostedModel at(ServedModel model, double point) {
    HostedModel leased = Objects.requireNonNull(model.leaseAt(point));
    leased.release();
    return leased;
  }

  @Test
  void tryOut_share_answersItOfWhatTheVersionThatServesWould(@TempDir Path root) throws Exception {
    try (ModelHost host = Hosted.host()) {
      ServedModel model = host.add("tiny");
      Path first = new TinyModel(1).write(root, "tiny", 1);
      HostedModel main = Hosted.load(first);
      HostedModel other = Hosted.load(new TinyModel(2).write(root, "tiny", 2));
      HostedModel tried = Hosted.load(first);
      model.add(main);
      model.add(other);
      model.serve(1);
      model.route(Map.of("new", 2L), List.of(new Share("new", 0.5, false)));

      assertThat(model.tryOut(tried, 0.2)).isTrue();

      assertThat(at(model, 0.49)).isSameAs(other);
      assertThat(at(model, 0.51)).isSameAs(main);
      assertThat(at(model, 0.89)).isSameAs(main);
      assertThat(at(model, 0.91)).isSameAs(tried);
      assertThat(model.tried()).isEqualTo(0.2);
      assertThat(model.ofServing(HostedModel::bundle)).isEqualTo(1);
      model.serve(2);
      assertThat(at(model, 0.91)).isSameAs(other);
      model.serve(1);
      assertThat(model.tryOut(tried, 1)).isTrue();
      assertThat(at(model, 0.51)).isSameAs(tried);
      assertThat(tried.closed().toCompletableFuture()).isNotDone();

      assertThat(model.tryOut(null, 0)).isFalse();

      assertThat(at(model, 0.91)).isSameAs(main);
      tried.closed().toCompletableFuture().join();
    }
  }

  @Test
  void tryOut_versionIsNotLoaded_closesItAndKeepsNothing(@TempDir Path root) throws Exception {
    try (ModelHost host = Hosted.host()) {
      ServedModel model = host.add("tiny");
      HostedModel tried = Hosted.load(new TinyModel(1).write(root, "tiny", 1));

      assertThat(model.tryOut(tried, 0.2)).isFalse();

      tried.closed().toCompletableFuture().join();
      assertThat(model.tried()).isZero();
      assertThat(model.leaseAt(0.95)).isNull();
    }
  }

  @Test
  void stop_somethingIsTriedOut_closesItToo(@TempDir Path root) throws Exception {
    try (ModelHost host = Hosted.host()) {
      ServedModel model = host.add("tiny");
      Path first = new TinyModel(1).write(root, "tiny", 1);
      model.add(Hosted.load(first));
      model.serve(1);
      HostedModel tried = Hosted.load(first);
      assertThat(model.tryOut(tried, 0.2)).isTrue();

      model.stop().join();

      assertThat(tried.closed().toCompletableFuture()).isDone();
    }
  }
}
