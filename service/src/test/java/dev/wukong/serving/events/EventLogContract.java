package dev.wukong.serving.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every event log does. */
abstract class EventLogContract {
  static final long MADE = 1_700_000_000_000L;
  static final EncodedEvent BOUNDARY = EncodedEvent.of("ctr", new Event.Boundary());

  @TempDir Path folder;

  abstract EventLog open(Path folder);

  static EncodedEvent ordered(long target) {
    return EncodedEvent.of("ctr", new Event.Ordered(Event.Order.STEP_BACK, target));
  }

  /** The target of each order, as they come in the log. */
  static List<Long> targets(List<Logged> events) {
    return events.stream().map(e -> ((Event.Ordered) e.event()).target()).toList();
  }

  /** Appends events 0 to below {@code count}, each an order whose target is its own position. */
  static void fill(EventLog log, int count) {
    for (long i = log.end(); i < count; i++) {
      log.append(100 + i, List.of(ordered(i)));
    }
  }

  @Test
  void end_newLog_isZero() {
    try (EventLog log = open(folder)) {
      assertThat(log.begin()).isZero();
      assertThat(log.end()).isZero();
      assertThat(log.lastMs()).isZero();
      assertThat(log.read(0, 9)).isEmpty();
    }
  }

  @Test
  void beginAt_newLog_hasItsFirstEventThere() {
    try (EventLog log = open(folder)) {
      log.beginAt(7);
      assertThat(log.begin()).isEqualTo(7);
      assertThat(log.end()).isEqualTo(7);
      assertThat(log.read(0, 9)).isEmpty();
      fill(log, 9);

      assertThat(log.read(0, 9)).extracting(Logged::position).containsExactly(7L, 8L);
      assertThat(log.scored(6)).isNull();
      assertThatThrownBy(() -> log.beginAt(20))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the log ends at 9, must be new");
    }
  }

  @Test
  void append_someEvents_standInTheirOrderWithTheirTime() {
    try (EventLog log = open(folder)) {
      log.append(5, List.of(ordered(7), ordered(8)));
      log.append(5, List.of(ordered(9)));
      log.append(6, List.of());

      assertThat(log.end()).isEqualTo(3);
      assertThat(log.lastMs()).isEqualTo(5);
      List<Logged> read = log.read(0, 9);
      assertThat(targets(read)).containsExactly(7L, 8L, 9L);
      assertThat(read).extracting(Logged::position).containsExactly(0L, 1L, 2L);
      assertThat(read).extracting(Logged::atMs).containsOnly(5L);
      assertThat(read).extracting(Logged::model).containsOnly("ctr");
    }
  }

  @Test
  void append_beforeTheLastTime_isRefused() {
    try (EventLog log = open(folder)) {
      log.append(5, List.of(BOUNDARY));

      assertThatThrownBy(() -> log.append(4, List.of(BOUNDARY)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("events of time 4 cannot follow one of 5");
      log.append(5, List.of(BOUNDARY));
      assertThat(log.end()).isEqualTo(2);
    }
  }

  @Test
  void read_fromTheMiddle_givesSoManyFromThereOn() {
    try (EventLog log = open(folder)) {
      fill(log, 10);

      assertThat(targets(log.read(4, 3))).containsExactly(4L, 5L, 6L);
      assertThat(targets(log.read(8, 100))).containsExactly(8L, 9L);
      assertThat(log.read(10, 100)).isEmpty();
      assertThat(log.read(4, 0)).isEmpty();
    }
  }

  @Test
  void find_aPrediction_saysWhereItStands() {
    try (EventLog log = open(folder)) {
      PredictionId id = SampleEvents.id(MADE, 1);
      log.append(5, List.of(BOUNDARY, SampleEvents.scored("ctr", id, 3)));

      assertThat(log.find(id)).contains(new EventLog.Place(1, "ctr", 3));
      assertThat(log.find(SampleEvents.id(MADE, 2))).isEmpty();
      assertThat(log.find(SampleEvents.id(MADE + 1, 1))).isEmpty();
    }
  }

  @Test
  void scored_aPosition_givesTheRequest() {
    try (EventLog log = open(folder)) {
      ScoredRequest request = new SampleEvents(3).request(SampleEvents.id(MADE, 1));
      log.append(5, List.of(EncodedEvent.of("ctr", new Event.Scored(request)), BOUNDARY));

      assertThat(log.scored(0)).usingRecursiveComparison().isEqualTo(request);
      assertThatThrownBy(() -> log.scored(1))
          .isInstanceOf(EventLogException.class)
          .hasMessage("event 1 is no scored request");
      assertThatThrownBy(() -> log.scored(2))
          .isInstanceOf(EventLogException.class)
          .hasMessage("there is no event 2");
    }
  }

  @Test
  void rewind_intoTheLog_forgetsWhatStandsThereAndItsPredictions() {
    PredictionId kept = SampleEvents.id(MADE, 1);
    PredictionId forgotten = SampleEvents.id(MADE, 2);
    try (EventLog log = open(folder)) {
      log.append(5, List.of(SampleEvents.scored("ctr", kept, 1), BOUNDARY));
      log.append(9, List.of(SampleEvents.scored("ctr", forgotten, 1), BOUNDARY));

      log.rewind(2, 6);

      assertThat(log.end()).isEqualTo(2);
      assertThat(log.lastMs()).isEqualTo(6);
      assertThat(log.find(forgotten)).isEmpty();
      // Another event takes its place, and is not taken for it.
      log.append(6, List.of(ordered(2), ordered(3)));
      assertThat(log.find(forgotten)).isEmpty();
      assertThat(log.find(kept)).contains(new EventLog.Place(0, "ctr", 1));
      assertThat(targets(log.read(2, 9))).containsExactly(2L, 3L);
    }
    try (EventLog log = open(folder)) {
      // What is on a disk stays so.
      assertThat(log.end()).isIn(0L, 4L);
      assertThat(log.find(forgotten)).isEmpty();
    }
  }

  @Test
  void rewind_outsideTheLog_forgetsAll() {
    for (long position : new long[] {3, 20}) {
      try (EventLog log = open(folder.resolve(Long.toString(position)))) {
        PredictionId id = SampleEvents.id(MADE, 1);
        log.beginAt(5);
        log.append(5, List.of(BOUNDARY, SampleEvents.scored("ctr", id, 1)));

        log.rewind(position, 7);

        assertThat(log.begin()).isEqualTo(position);
        assertThat(log.end()).isEqualTo(position);
        assertThat(log.read(0, 9)).isEmpty();
        assertThat(log.find(id)).isEmpty();
        log.append(7, List.of(BOUNDARY, SampleEvents.scored("ctr", id, 1)));
        assertThat(log.read(0, 9))
            .extracting(Logged::position)
            .containsExactly(position, position + 1);
        assertThat(log.find(id)).contains(new EventLog.Place(position + 1, "ctr", 1));
      }
    }
  }

  @Test
  void trim_someEvents_areGoneAndTheOthersStay() {
    try (EventLog log = open(folder)) {
      PredictionId old = SampleEvents.id(MADE, 1);
      PredictionId young = SampleEvents.id(MADE + 1000, 2);
      log.append(1, List.of(SampleEvents.scored("ctr", old, 1), BOUNDARY));
      log.append(2, List.of(SampleEvents.scored("ctr", young, 1), BOUNDARY));

      log.trim(1, 0);

      assertThat(log.begin()).isEqualTo(1);
      assertThat(log.end()).isEqualTo(4);
      assertThat(log.read(0, 9)).extracting(Logged::position).containsExactly(1L, 2L, 3L);
      assertThat(log.scored(0)).isNull();
      assertThat(log.find(old)).isEmpty();
      assertThat(log.find(young)).contains(new EventLog.Place(2, "ctr", 1));
    }
  }

  @Test
  void trim_predictionsMadeBefore_areForgotten() {
    try (EventLog log = open(folder)) {
      PredictionId old = SampleEvents.id(MADE, 1);
      PredictionId young = SampleEvents.id(MADE + 1000, 2);
      log.append(
          1, List.of(SampleEvents.scored("ctr", old, 1), SampleEvents.scored("ctr", young, 1)));

      log.trim(0, MADE + 1000);

      assertThat(log.read(0, 9)).hasSize(2);
      assertThat(log.find(old)).isEmpty();
      assertThat(log.find(young)).isPresent();
    }
  }

  @Test
  void trim_less_takesNothingBack() {
    try (EventLog log = open(folder)) {
      fill(log, 5);
      log.trim(3, MADE);
      log.trim(1, 0);

      assertThat(log.begin()).isEqualTo(3);
      assertThat(targets(log.read(0, 9))).containsExactly(3L, 4L);
    }
  }

  @Test
  void trim_beyondTheEnd_usesNoPositionTwice() {
    try (EventLog log = open(folder)) {
      fill(log, 5);
      log.trim(100, 0);

      assertThat(log.begin()).isEqualTo(5);
      assertThat(log.read(0, 9)).isEmpty();
      log.append(200, List.of(ordered(5)));
      assertThat(log.read(0, 9)).extracting(Logged::position).containsExactly(5L);
    }
  }

  /** A reader that is behind meets what goes while it reads. */
  @Test
  void read_whileOthersAppendAndTrim_hasNoHole() throws Exception {
    try (EventLog log = open(folder)) {
      Thread writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i < 300; i++) {
                      long at = log.end();
                      log.append(i, IntStream.range(0, 10).mapToObj(n -> ordered(at + n)).toList());
                      log.trim(at - 50, 0);
                    }
                  });
      long next = 0;
      while (writer.isAlive() || next < log.end()) {
        List<Logged> read = log.read(next, 64);
        for (int i = 0; i < read.size(); i++) {
          Logged event = read.get(i);
          assertThat(event.position()).isGreaterThanOrEqualTo(next);
          assertThat(((Event.Ordered) event.event()).target()).isEqualTo(event.position());
          next = event.position() + 1;
        }
      }
      writer.join();
      assertThat(next).isEqualTo(3000);
    }
  }

  @Test
  void close_then_refusesAll() {
    EventLog log = open(folder);
    log.append(1, List.of(BOUNDARY));
    log.close();
    log.close();

    assertThatThrownBy(() -> log.append(2, List.of(BOUNDARY)))
        .isInstanceOf(EventLogException.class)
        .hasMessage("the event log is closed");
    assertThatThrownBy(() -> log.read(0, 1))
        .isInstanceOf(EventLogException.class)
        .hasMessage("the event log is closed");
    assertThatThrownBy(() -> log.find(SampleEvents.id(MADE, 1)))
        .isInstanceOf(EventLogException.class)
        .hasMessage("the event log is closed");
  }
}
