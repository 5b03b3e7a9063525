package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.hosting.Routing.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VersionPlansTest {
  private static final VersionPlan PLAN =
      new VersionPlan(
          5,
          4,
          Set.of(3L),
          Set.of(6L, 7L),
          Map.of("canary", 3L),
          List.of(new Share("canary", 0.25, false)));

  @TempDir private Path folder = Path.of("");

  private VersionPlans plans() {
    return new VersionPlans(Optional.of(folder.resolve("plans")));
  }

  private Path file() throws IOException {
    return Files.createDirectories(folder.resolve("plans")).resolve("tiny.json");
  }

  @Test
  void put_plan_isThereAfterARestart() throws Exception {
    plans().put("tiny", PLAN);
    assertThat(plans().of("tiny")).isEqualTo(PLAN);
    assertThat(plans().of("other")).isEqualTo(VersionPlan.NONE);
    assertThat(folder.resolve("plans")).isDirectoryContaining("glob:**/tiny.json");
    try (var files = Files.list(folder.resolve("plans"))) {
      assertThat(files).hasSize(1);
    }
  }

  /** The Java runtime tells of each call that makes a file's bytes durable. */
  @Test
  void put_plan_reachesTheDiskBeforeItsNameDoes() throws Exception {
    Path dump = folder.resolve("dump.jfr");
    try (Recording recording = new Recording()) {
      recording.enable("jdk.FileForce").withThreshold(Duration.ZERO);
      recording.start();
      plans().put("tiny", PLAN);
      recording.stop();
      recording.dump(dump);
    }
    List<String> forced =
        RecordingFile.readAllEvents(dump).stream()
            .sorted(Comparator.comparing(RecordedEvent::getStartTime))
            .map(event -> event.getString("path"))
            .filter(path -> path.startsWith(folder.toString()))
            .toList();
    Path written = folder.resolve("plans").resolve("tiny.json.part");
    assertThat(forced).containsExactly(written.toString(), folder.resolve("plans").toString());
  }

  @Test
  void of_fileOfAnEarlierRelease_isRead() throws Exception {
    Files.writeString(
        file(),
        """
        {"chosen":5,"held":[3],"out":[7,6],"labels":{"canary":3},\
        "shares":[{"label":"canary","part":0.25,"shadow":false}]}\
        """);
    assertThat(plans().of("tiny"))
        .isEqualTo(new VersionPlan(5, 0, PLAN.held(), PLAN.out(), PLAN.labels(), PLAN.shares()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "null", "[]", "{\"chosen\":1}"})
  void of_fileIsBroken_isSaidWithItsNameUntilItIsRemoved(String text) throws Exception {
    Files.writeString(file(), text);
    VersionPlans plans = plans();
    for (int look = 0; look < 2; look++) {
      assertThatThrownBy(() -> plans.of("tiny"))
          .isInstanceOf(IOException.class)
          .hasMessage(
              "what operators asked of model 'tiny' cannot be read from %s; remove the file to"
                  + " start anew",
              file());
    }
    assertThat(plans.of("other")).isEqualTo(VersionPlan.NONE);

    Files.delete(file());

    assertThat(plans.of("tiny")).isEqualTo(VersionPlan.NONE);
  }
}
