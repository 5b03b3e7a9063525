package dev.wukong.serving.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bench.BenchmarkContext;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that logs is killed again and again. */
class LogKillTest {
  private static final int KILLS = 6;

  @TempDir Path folder;

  /** Of each label that was said to be durable, the position; -1 where it was said too early. */
  private final Map<Long, Long> durable = new TreeMap<>();

  /**
   * Starts it.
   *
   * @param before what runs it: none, or a command that has the rest as its arguments
   */
  private Process start(boolean early, String... before) throws IOException {
    List<String> command = new ArrayList<>(List.of(before));
    command.addAll(
        List.of(
            BenchmarkContext.java().toString(),
            "-XX:-UsePerfData",
            // Where a process before it has left the library.
            "-Djava.library.path=" + folder,
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            LogWorker.class.getName(),
            folder.resolve("log").toString(),
            Boolean.toString(early)));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(folder.resolve("worker.log").toFile());
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    // Else each that is killed leaves its own copy of the library behind.
    builder.environment().put("ROCKSDB_SHAREDLIB_DIR", folder.toString());
    return builder.start();
  }

  /** Runs it until it has said that so many labels are durable; returns where it began. */
  private long run(int labels, boolean early) throws IOException, InterruptedException {
    Process process = start(early);
    try (BufferedReader from = process.inputReader(StandardCharsets.US_ASCII)) {
      long began = Long.parseLong(next(from, LogWorker.OPEN)[1]);
      for (int i = 0; i < labels; i++) {
        remember(next(from, LogWorker.DURABLE));
      }
      // By its handle: the process would throw away what it has said and nobody has read yet.
      boolean _ = process.toHandle().destroyForcibly();
      int _ = process.waitFor();
      for (String line = from.readLine(); line != null; line = from.readLine()) {
        remember(line.split(" ", -1));
      }
      return began;
    } finally {
      process.destroyForcibly();
    }
  }

  private String[] next(BufferedReader from, String must) throws IOException {
    String line = from.readLine();
    if (line == null || !line.startsWith(must)) {
      throw new IOException(
          "the process says '%s': %s"
              .formatted(line, Files.readString(folder.resolve("worker.log"))));
    }
    return line.split(" ", -1);
  }

  private void remember(String[] said) {
    assertThat(said).hasSize(3).startsWith(LogWorker.DURABLE);
    durable.merge(Long.parseLong(said[1]), Long.parseLong(said[2]), Math::max);
  }

  /** What is wrong with the log, besides what it may have more; none of it is trimmed. */
  private List<String> wrong() {
    List<String> wrong = new ArrayList<>();
    try (EventLog log = RocksEventLog.open(folder.resolve("log"))) {
      Map<Long, Long> labels = new TreeMap<>();
      long position = 0;
      while (position < log.end()) {
        for (Logged event : log.read(position, 1000)) {
          assertThat(event.position()).isEqualTo(position++);
          switch (event.event()) {
            case Event.Labelled labelled -> {
              labels.put(labelled.timeMs(), event.position());
              PredictionId id = LogWorker.id(labelled.timeMs());
              assertThat(log.find(id))
                  .contains(new EventLog.Place(labelled.scored(), "ctr", LogWorker.CANDIDATES));
              assertThat(log.scored(labelled.scored()))
                  .isNotNull()
                  .extracting(ScoredRequest::id)
                  .isEqualTo(id);
              assertThat(labelled.scored()).isLessThan(event.position());
            }
            case Event.Scored _ -> {}
            default -> throw new AssertionError("nobody logged " + event);
          }
        }
      }
      durable.forEach(
          (number, at) -> {
            if (!labels.containsKey(number) || (at >= 0 && !at.equals(labels.get(number)))) {
              wrong.add("label %d is at %s, not %d".formatted(number, labels.get(number), at));
            }
          });
    }
    return wrong;
  }

  @Test
  void rocks_killedAtAnyTime_hasAllThatWasAcknowledged() throws Exception {
    SplittableRandom random = new SplittableRandom(3);
    long last = -1;
    for (int i = 0; i < KILLS; i++) {
      long began = run(random.nextInt(1, 400), false);
      assertThat(began).as("a position is used twice").isGreaterThan(last);
      last = durable.values().stream().mapToLong(Long::longValue).max().orElseThrow();
      assertThat(wrong()).isEmpty();
    }
    assertThat(durable.size()).isGreaterThan(KILLS);
  }

  @Test
  void rocks_trimmedBetweenKills_usesNoPositionTwice() throws Exception {
    long last = -1;
    for (int i = 0; i < 3; i++) {
      assertThat(run(50, false)).isGreaterThan(last);
      last = durable.values().stream().mapToLong(Long::longValue).max().orElseThrow();
      try (EventLog log = RocksEventLog.open(folder.resolve("log"))) {
        log.trim(log.end(), 0);
        assertThat(log.begin()).isGreaterThan(last);
      }
    }
  }

  /** The test must see what was acknowledged and is not there. */
  @Test
  void rocks_acknowledgedTooEarly_isFound() throws Exception {
    List<String> wrong = List.of();
    for (int i = 0; i < 5 && wrong.isEmpty(); i++) {
      long _ = run(100, true);
      wrong = wrong();
    }

    assertThat(wrong).isNotEmpty();
  }

  /** The system lets no file grow beyond a bound: the disk is as good as full. */
  @Test
  void rocks_writeFails_takesNothingMoreAndIsReadOn() throws Exception {
    long _ = run(1, false);
    Process process =
        start(false, "/bin/sh", "-c", "ulimit -f 200; exec \"$0\" \"$@\""); // Blocks of 512 bytes.
    String[] failed = {};
    try (BufferedReader from = process.inputReader(StandardCharsets.US_ASCII)) {
      assertThat(next(from, LogWorker.OPEN)).hasSize(2);
      for (String line = from.readLine(); line != null; line = from.readLine()) {
        if (line.startsWith(LogWorker.FAILED)) {
          failed = line.split(" ", 4);
        } else if (line.startsWith(LogWorker.DURABLE)) { // Else it says so in its log.
          remember(line.split(" ", -1));
        }
      }
      assertThat(process.waitFor()).isZero();
    } finally {
      process.destroyForcibly();
    }

    assertThat(failed).hasSize(4);
    assertThat(Long.parseLong(failed[1])).isGreaterThan(10);
    assertThat(failed[2]).isEqualTo("false");
    assertThat(failed[3]).startsWith("nothing is logged since writing ").contains("failed: ");
    assertThat(wrong()).isEmpty();
    assertThat(run(10, false)).isGreaterThanOrEqualTo(Long.parseLong(failed[1]));
    assertThat(wrong()).isEmpty();
  }
}
