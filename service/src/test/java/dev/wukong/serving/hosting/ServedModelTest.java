package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Path;
import java.util.List;
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
}
