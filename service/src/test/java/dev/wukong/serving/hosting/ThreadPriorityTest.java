package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.wukong.client.RankingClient;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Loads stand behind requests, and nothing that answers requests stands behind with them. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "elsewhere a thread does not inherit a priority")
class ThreadPriorityTest {
  @TempDir private Path folder = Path.of("");
  private Path bundles = Path.of("");

  /** Names of this process's threads that have the lowest priority. */
  private static List<String> lowest() throws IOException {
    return ofPriority(19);
  }

  /** Names of this process's threads, as the system has them, of priority {@code nice}. */
  private static List<String> ofPriority(int nice) throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> threads = Files.list(QuietThread.TASKS)) {
      for (Path thread : threads.toList()) {
        try {
          if (priority(thread) == nice) {
            names.add(Files.readString(thread.resolve("comm")).strip());
          }
        } catch (NoSuchFileException e) {
          // It has just ended.
        }
      }
    }
    return names;
  }

  private static int priority(Path thread) throws IOException {
    // After the name, which may hold blanks: field 3 is the first, 19 is wanted.
    String stat = Files.readString(thread.resolve("stat"));
    return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[16]);
  }

  /** Names of the threads that stand {@code steps} behind this process's first one. */
  private static List<String> behind(int steps) throws IOException {
    Path first = QuietThread.TASKS.resolve(Long.toString(ProcessHandle.current().pid()));
    return ofPriority(Math.min(priority(first) + steps, QuietThread.LOWEST));
  }

  @BeforeEach
  void write() throws Exception {
    assumeThat(lowest()).as("a build of lowest priority cannot tell").isEmpty();
    bundles = folder.resolve("bundles");
    new TinyModel(1).write(bundles, "tiny", 1);
  }

  @Test
  void load_onceSomethingServes_startsNoThreadOfLowestPriority() throws Exception {
    // Sessions with helpers, and rows in the store, which are read by others.
    try (Served served =
        Served.serving(bundles, "tiny", 1, "wukong.engine.threads=2", "wukong.rows.resident=1KB")) {
      new TinyModel(2).write(bundles, "tiny", 2);
      new TinyModel(3).write(bundles, "second", 1);
      served.awaitServing("tiny", 2);
      served.awaitServing("second", 1);
      for (String model : List.of("tiny", "second")) {
        try (RankingClient client =
            RankingClient.connect("localhost:" + served.grpcPort(), model, Duration.ofMinutes(2))) {
          client.predict(Map.of("user", 1), List.of(Map.of("item", 1, "picture", List.of(0, 0))));
        }
      }
      // Helpers of a session bear the name of the thread that starts them. One that closes a
      // version that was replaced may not have ended yet: nobody waits for it.
      assertThat(lowest())
          .filteredOn(name -> !name.startsWith("close-"))
          .containsExactly("bundles");
    }
  }

  @Test
  void serving_compilers_standALittleBehindAndNobodyElseDoes() throws Exception {
    try (Served _ = Served.serving(bundles, "tiny", 1)) {
      assertThat(behind(QuietCompilers.STEPS))
          .isNotEmpty()
          .allMatch(name -> name.matches("C[12] CompilerThre"));
      assertThat(behind(0)).noneMatch(name -> name.matches("C[12] CompilerThre"));
    }
  }
}
