package dev.wukong.serving.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.testing.WriteStatistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RocksEventLogTest extends EventLogContract {
  private static final int FILE_BYTES = 1 << 16;

  @Override
  EventLog open(Path folder) {
    return RocksEventLog.open(folder.resolve("log"), FILE_BYTES);
  }

  private RocksEventLog open() {
    return RocksEventLog.open(folder.resolve("log"), FILE_BYTES);
  }

  private List<Path> files(String suffix) throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("log"))) {
      return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }

  @Test
  void open_again_hasAllThatWasAppended() {
    PredictionId id = SampleEvents.id(MADE, 1);
    ScoredRequest request = new SampleEvents(4).request(id);
    try (EventLog log = open()) {
      log.append(5, List.of(BOUNDARY, EncodedEvent.of("ctr", new Event.Scored(request))));
    }
    try (EventLog log = open()) {
      assertThat(log.end()).isEqualTo(2);
      assertThat(log.lastMs()).isEqualTo(5);
      assertThat(log.read(0, 9)).hasSize(2);
      assertThat(log.scored(1)).usingRecursiveComparison().isEqualTo(request);
      assertThat(log.find(id)).map(EventLog.Place::position).contains(1L);
    }
  }

  @Test
  void open_againAfterItBeganElsewhere_isThere() {
    try (EventLog log = open(folder)) {
      log.beginAt(7);
    }
    try (EventLog log = open(folder)) {
      assertThat(log.begin()).isEqualTo(7);
      fill(log, 9);
    }
    try (EventLog log = open(folder)) {
      assertThat(log.read(0, 9)).extracting(Logged::position).containsExactly(7L, 8L);
    }
  }

  @Test
  void open_againAfterATrimOfAll_usesNoPositionTwice() {
    try (EventLog log = open()) {
      fill(log, 5);
      log.trim(5, MADE);
    }
    try (EventLog log = open()) {
      assertThat(log.begin()).isEqualTo(5);
      assertThat(log.end()).isEqualTo(5);
      assertThat(log.lastMs()).isEqualTo(104);
      log.append(200, List.of(ordered(5)));
      assertThat(targets(log.read(0, 9))).containsExactly(5L);
    }
    try (EventLog log = open()) {
      assertThat(log.begin()).isEqualTo(5);
      assertThat(log.end()).isEqualTo(6);
    }
  }

  /** A kill leaves what the system has not written yet; the loss of power does not. */
  @Test
  void appendAndTrim_eachWrite_isSynced() {
    try (RocksEventLog log = open()) {
      WriteStatistics before = WriteStatistics.of(log.statistics());
      fill(log, 20);
      log.trim(3, MADE);

      WriteStatistics after = WriteStatistics.of(log.statistics());
      assertThat(after.writes() - before.writes()).isGreaterThanOrEqualTo(2);
      assertThat(after.syncs() - before.syncs()).isEqualTo(after.writes() - before.writes());
    }
  }

  /** Of random bytes, which take as much room on disk. */
  private static EncodedEvent large(SplittableRandom random, long number) {
    ScoredRequest small = SampleEvents.small(SampleEvents.id(MADE + number, number), 250);
    float[] probabilities = new float[250];
    for (int i = 0; i < probabilities.length; i++) {
      probabilities[i] = Float.intBitsToFloat(random.nextInt());
    }
    return EncodedEvent.of(
        "ctr",
        new Event.Scored(
            new ScoredRequest(
                small.id(),
                small.version(),
                1,
                small.context(),
                small.candidates(),
                new int[0],
                1,
                probabilities)));
  }

  @Test
  void trim_mostOfManyFiles_freesTheirRoom() {
    SplittableRandom random = new SplittableRandom(9);
    long before;
    try (EventLog log = open()) {
      for (int i = 0; i < 4000; i += 20) {
        log.append(i, IntStream.range(i, i + 20).mapToObj(n -> large(random, n)).toList());
      }
      before = log.bytes();
      assertThat(before).isGreaterThan(4_000_000);
      log.trim(3900, MADE + 3900);
      assertThat(log.begin()).isEqualTo(3900);
    }
    try (EventLog log = open()) {
      // 100 events, a file that is not all forgotten, and RocksDB's own.
      assertThat(log.bytes()).isLessThan(before / 5);
      assertThat(log.read(0, 1).getFirst().position()).isEqualTo(3900);
      assertThat(log.find(SampleEvents.id(MADE + 3899, 3899))).isEmpty();
      assertThat(log.find(SampleEvents.id(MADE + 3900, 3900))).isPresent();
      assertThat(log.end()).isEqualTo(4000);
    }
  }

  @Test
  void read_largeEvents_givesAFewAtATime() {
    SplittableRandom random = new SplittableRandom(9);
    try (EventLog log = open()) {
      for (int i = 0; i < 50; i++) {
        log.append(i, Stream.generate(() -> large(random, 1)).limit(100).toList());
      }
      long next = 0;
      int reads = 0;
      while (next < log.end()) {
        List<Logged> read = log.read(next, Integer.MAX_VALUE);
        assertThat(read.getFirst().position()).isEqualTo(next);
        next += read.size();
        reads++;
      }
      assertThat(next).isEqualTo(5000);
      assertThat(reads).isBetween(2, 3);
    }
  }

  /** One that was cut short is forgotten; one that was written, and is another now, never. */
  @Test
  void open_damagedWrite_isRefused() throws Exception {
    try (EventLog log = open()) {
      for (int i = 0; i < 20; i++) {
        log.append(i, List.of(BOUNDARY));
      }
    }
    Path written = files(".log").getLast();
    byte[] bytes = Files.readAllBytes(written);
    assertThat(bytes.length).isGreaterThan(1000);
    bytes[bytes.length / 2] ^= 1;
    Files.write(written, bytes);

    assertThatThrownBy(this::open)
        .isInstanceOf(EventLogException.class)
        .hasMessageStartingWith("cannot open the event log in " + folder.resolve("log"))
        .hasMessageContaining("checksum mismatch");
  }

  @Test
  void open_whereAFileLies_saysWhere() throws Exception {
    Files.writeString(folder.resolve("log"), "x");

    assertThatThrownBy(this::open)
        .isInstanceOf(EventLogException.class)
        .hasMessageStartingWith("cannot open the event log in " + folder.resolve("log"));
  }

  @Test
  void open_manyTimes_keepsFewOfItsOwnLogs() throws Exception {
    for (int i = 0; i < 6; i++) {
      open().close();
    }

    try (Stream<Path> files = Files.list(folder.resolve("log"))) {
      assertThat(files.filter(file -> file.getFileName().toString().startsWith("LOG")).count())
          .isLessThanOrEqualTo(3);
    }
  }

  /** Readers come all the time; none may be in native code when that goes. */
  @Test
  void close_underReaders_endsThemWithAnException() throws Exception {
    EventLog log = open();
    log.append(1, IntStream.range(0, 1000).mapToObj(n -> ordered(n)).toList());
    List<Thread> readers =
        Stream.generate(
                () ->
                    Thread.ofPlatform()
                        .start(
                            () ->
                                assertThatThrownBy(
                                        () -> {
                                          while (true) {
                                            assertThat(log.read(0, 1000)).hasSize(1000);
                                          }
                                        })
                                    .hasMessage("the event log is closed")))
            .limit(3)
            .toList();
    assertThat(log.read(0, 1000)).hasSize(1000);
    log.close();
    for (Thread reader : readers) {
      reader.join();
    }
  }
}
