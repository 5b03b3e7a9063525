package dev.wukong.serving.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.events.FeedbackItem.Outcome;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EventWriterTest {
  private static final long MADE = 1_700_000_000_000L;
  private static final Duration LONG = Duration.ofMinutes(1);
  private static final QueueRoom ROOM = new QueueRoom(4, 1 << 20);

  private final AtomicLong now = new AtomicLong(1000);
  private final AtomicLong needed = new AtomicLong(Long.MAX_VALUE);
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final GatedLog log = new GatedLog();
  private final List<EventWriter> writers = new ArrayList<>();

  private EventWriter start(QueueRoom room, long quotaBytes) {
    EventRetention retention =
        new EventRetention(Duration.ofDays(1), quotaBytes, needed::get, now::get);
    EventWriter writer = new EventWriter(log, retention, room, now::get, registry);
    writers.add(writer);
    return writer;
  }

  private EventWriter start() {
    return start(ROOM, Long.MAX_VALUE);
  }

  /** Its thread is in the first write, so that its queue keeps what comes. */
  private EventWriter startBusy() throws InterruptedException {
    EventWriter writer = start();
    assertThat(writer.offer(scored(99))).isTrue();
    log.awaitWrite();
    return writer;
  }

  @AfterEach
  void close() {
    log.open();
    writers.forEach(EventWriter::close);
  }

  private static PredictionId id(long number) {
    return SampleEvents.id(MADE, number);
  }

  private static EncodedEvent scored(long number) {
    return SampleEvents.scored("ctr", id(number), 3);
  }

  private static FeedbackItem.Labelled label(long number, int position) {
    return new FeedbackItem.Labelled(id(number), position, "click", 1, 0.5f, 77);
  }

  private static CompletableFuture<Outcome> submit(EventWriter writer, FeedbackItem item)
      throws InterruptedException {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    assertThat(writer.submit(item, LONG, outcome::complete)).isTrue();
    return outcome;
  }

  private double count(String name, String tag, String value) {
    return registry.get(name).tag(tag, value).counter().count();
  }

  @Test
  void offer_roomInTheQueue_isLogged() throws Exception {
    log.open();
    EventWriter writer = start();
    assertThat(writer.offer(scored(1))).isTrue();

    assertThat(writer.awaitEnd(0, LONG)).isEqualTo(1);
    assertThat(log.find(id(1))).contains(new EventLog.Place(0, "ctr", 3));
    assertThat(Objects.requireNonNull(log.scored(0)).id()).isEqualTo(id(1));
  }

  @Test
  void offer_moreThanTheQueueHolds_refusesAndCountsEach() throws Exception {
    EventWriter writer = startBusy();
    int taken = 0;
    for (int i = 0; i < 10; i++) {
      taken += writer.offer(scored(i)) ? 1 : 0;
    }

    assertThat(taken).isEqualTo(4);
    assertThat(registry.get("wukong.events.queue").gauge().value()).isEqualTo(4);
    assertThat(count("wukong.events.unlogged", "reason", "queue")).isEqualTo(6);
    log.open();
    assertThat(writer.append("ctr", new Event.Boundary())).isEqualTo(5);
    assertThat(count("wukong.events.logged", "kind", "scored")).isEqualTo(5);
    assertThat(count("wukong.events.logged", "kind", "boundary")).isEqualTo(1);
  }

  @Test
  void offer_moreBytesThanTheQueueHolds_refuses() throws Exception {
    EventWriter writer = start(new QueueRoom(100, 2 * 128 + 2L * scored(1).size()), 1 << 20);
    assertThat(writer.offer(scored(99))).isTrue();
    log.awaitWrite();

    assertThat(writer.offer(scored(1))).isTrue();
    assertThat(writer.offer(scored(2))).isTrue();
    assertThat(writer.offer(scored(3))).isFalse();
  }

  @Test
  void write_whatCameDuringAWrite_isOneMore() throws Exception {
    EventWriter writer = startBusy();
    for (int i = 0; i < 4; i++) {
      assertThat(writer.offer(scored(i))).isTrue();
    }
    log.open();

    assertThat(writer.awaitEnd(4, LONG)).isEqualTo(5);
    assertThat(log.writes()).containsExactly(1, 4);
    assertThat(registry.get("wukong.events.write").timer().count()).isEqualTo(2);
  }

  @Test
  void submit_predictionOfTheSameBatch_standsAfterIt() throws Exception {
    EventWriter writer = startBusy();
    assertThat(writer.offer(scored(1))).isTrue();
    CompletableFuture<Outcome> first = submit(writer, label(1, 2));
    CompletableFuture<Outcome> second =
        submit(writer, new FeedbackItem.Exposed(id(1), new int[] {0, 2}, 78));
    assertThat(first).isNotDone();
    log.open();

    assertThat(first.get()).isEqualTo(new Outcome.Durable(2));
    assertThat(second.get()).isEqualTo(new Outcome.Durable(3));
    List<Logged> read = log.read(2, 9);
    assertThat(read).extracting(Logged::model).containsOnly("ctr");
    assertThat(read.getFirst().event()).isEqualTo(new Event.Labelled(1, 2, "click", 1, 0.5f, 77));
    assertThat(read.getLast().event())
        .usingRecursiveComparison()
        .isEqualTo(new Event.Exposed(1, new int[] {0, 2}, 78));
  }

  @Test
  void submit_predictionWrittenBefore_isFoundInTheLog() throws Exception {
    log.open();
    EventWriter writer = start();
    assertThat(writer.offer(scored(1))).isTrue();
    assertThat(writer.awaitEnd(0, LONG)).isEqualTo(1);

    assertThat(submit(writer, label(1, 0)).get()).isEqualTo(new Outcome.Durable(1));
  }

  @Test
  void submit_noSuchPrediction_isUnknownAndNotWritten() throws Exception {
    log.open();
    EventWriter writer = start();

    assertThat(submit(writer, label(5, 0)).get()).isEqualTo(new Outcome.Unknown());
    assertThat(log.end()).isZero();
    assertThat(count("wukong.feedback.refused", "reason", "unknown")).isEqualTo(1);
  }

  @Test
  void submit_candidateThatIsNotThere_isInvalid() throws Exception {
    log.open();
    EventWriter writer = start();
    assertThat(writer.offer(scored(1))).isTrue();

    Outcome invalid = new Outcome.Invalid("candidate position 3, the prediction has 3 candidates");
    assertThat(submit(writer, label(1, 3)).get()).isEqualTo(invalid);
    assertThat(submit(writer, new FeedbackItem.Exposed(id(1), new int[] {0, 3}, 1)).get())
        .isEqualTo(invalid);
    assertThat(submit(writer, label(1, -1)).get())
        .isEqualTo(new Outcome.Invalid("candidate position -1, the prediction has 3 candidates"));
    assertThat(log.end()).isEqualTo(1);
    assertThat(count("wukong.feedback.refused", "reason", "invalid")).isEqualTo(3);
  }

  @Test
  void submit_sameItemTwice_tellsBoth() throws Exception {
    EventWriter writer = startBusy();
    List<Outcome> outcomes = new ArrayList<>();
    Consumer<Outcome> done = outcomes::add;
    FeedbackItem item = label(5, 0);
    assertThat(writer.submit(item, LONG, done)).isTrue();
    assertThat(writer.submit(item, LONG, done)).isTrue();
    log.open();
    writer.close();

    assertThat(outcomes).containsExactly(new Outcome.Unknown(), new Outcome.Unknown());
  }

  @Test
  void submit_noRoomInTime_saysSoAndTellsNobody() throws Exception {
    EventWriter writer = startBusy();
    for (int i = 0; i < 4; i++) {
      assertThat(writer.offer(scored(i))).isTrue();
    }
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();

    assertThat(writer.submit(label(1, 0), Duration.ZERO, outcome::complete)).isFalse();
    assertThat(count("wukong.feedback.refused", "reason", "room")).isEqualTo(1);
    log.open();
    writer.close();
    assertThat(outcome).isNotDone();
  }

  @Test
  void submit_roomInTime_isWritten() throws Exception {
    EventWriter writer = startBusy();
    for (int i = 0; i < 4; i++) {
      assertThat(writer.offer(scored(i))).isTrue();
    }
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    CompletableFuture<Boolean> taken = new CompletableFuture<>();
    Thread caller =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    taken.complete(writer.submit(label(1, 0), LONG, outcome::complete));
                  } catch (InterruptedException e) {
                    taken.completeExceptionally(e);
                  }
                });
    log.open();

    assertThat(taken.get()).isTrue();
    assertThat(outcome.get()).isEqualTo(new Outcome.Durable(5));
    caller.join();
  }

  @Test
  void submit_indexUnreadable_failsThatAndGoesOn() throws Exception {
    log.open();
    EventWriter writer = start();
    log.loseIndex();

    assertThat(submit(writer, label(1, 0)).get())
        .isEqualTo(new Outcome.Failed("the event log cannot be read: no index"));
    assertThat(writer.append("ctr", new Event.Boundary())).isZero();
    assertThat(writer.failure()).isEmpty();
  }

  @Test
  void submit_callerThatThrows_doesNotKeepOthersFromBeingTold() throws Exception {
    EventWriter writer = startBusy();
    assertThat(
            writer.submit(
                label(99, 0),
                LONG,
                _ -> {
                  throw new IllegalStateException("not mine");
                }))
        .isTrue();
    CompletableFuture<Outcome> outcome = submit(writer, label(99, 1));
    log.open();

    assertThat(outcome.get()).isEqualTo(new Outcome.Durable(2));
  }

  @Test
  void append_whatSteersTraining_returnsItsPosition() throws Exception {
    log.open();
    EventWriter writer = start();

    assertThat(writer.append("ctr", new Event.Ordered(Event.Order.STEP_BACK, 7))).isZero();
    assertThat(writer.append("cvr", new Event.Frozen(true))).isEqualTo(1);
    assertThat(log.read(1, 1).getFirst().event()).isEqualTo(new Event.Frozen(true));
    assertThat(log.read(1, 1).getFirst().model()).isEqualTo("cvr");
    assertThatThrownBy(() -> writer.append("ctr", new Event.Labelled(0, 0, "click", 1, 1, 0)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void append_clockGoesBack_timeDoesNot() throws Exception {
    log.open();
    EventWriter writer = start();
    long _ = writer.append("ctr", new Event.Boundary());
    now.set(500);
    long _ = writer.append("ctr", new Event.Boundary());
    now.set(1001);
    long _ = writer.append("ctr", new Event.Boundary());

    assertThat(log.read(0, 9)).extracting(Logged::atMs).containsExactly(1000L, 1000L, 1001L);
  }

  /** All that wait and all that come are answered, nothing is tried again. */
  @Test
  void write_logFails_tellsEverybodyWhy() throws Exception {
    EventWriter writer = startBusy();
    assertThat(writer.offer(scored(1))).isTrue();
    CompletableFuture<Outcome> waiting = submit(writer, label(1, 0));
    CompletableFuture<Throwable> control = new CompletableFuture<>();
    Thread trainer =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    long _ = writer.append("ctr", new Event.Boundary());
                  } catch (EventLogException | InterruptedException e) {
                    control.complete(e);
                  }
                });
    log.fail("no space");

    String reason = "nothing is logged any more: no space";
    assertThat(waiting.get()).isEqualTo(new Outcome.Failed(reason));
    assertThat(control.get()).isInstanceOf(EventLogException.class).hasMessage(reason);
    trainer.join();
    assertThat(writer.failure()).contains(reason);
    assertThat(writer.offer(scored(2))).isFalse();
    assertThat(submit(writer, label(1, 0)).get()).isEqualTo(new Outcome.Failed(reason));
    assertThatThrownBy(() -> writer.append("ctr", new Event.Boundary()))
        .isInstanceOf(EventLogException.class)
        .hasMessage(reason);
    writer.close();
    assertThat(log.end()).isZero();
    // What was in the write, what waited and what came.
    assertThat(count("wukong.events.unlogged", "reason", "failed")).isEqualTo(3);
    assertThat(count("wukong.feedback.refused", "reason", "failed")).isEqualTo(2);
  }

  @Test
  void write_logFails_freesThoseWhoWaitForRoom() throws Exception {
    EventWriter writer = startBusy();
    for (int i = 0; i < 4; i++) {
      assertThat(writer.offer(scored(i))).isTrue();
    }
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    Thread caller =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    boolean _ = writer.submit(label(1, 0), LONG, outcome::complete);
                  } catch (InterruptedException e) {
                    outcome.completeExceptionally(e);
                  }
                });
    log.fail("no space");

    assertThat(outcome.get()).isEqualTo(new Outcome.Failed("nothing is logged any more: no space"));
    caller.join();
  }

  @Test
  void awaitEnd_nothingNew_returnsAfterTheTime() throws Exception {
    log.open();
    EventWriter writer = start();
    long _ = writer.append("ctr", new Event.Boundary());

    assertThat(writer.awaitEnd(0, Duration.ZERO)).isEqualTo(1);
    assertThat(writer.awaitEnd(1, Duration.ZERO)).isEqualTo(1);
    assertThat(writer.awaitEnd(1, Duration.ofMillis(1))).isEqualTo(1);
  }

  @Test
  void awaitEnd_closedMeanwhile_returns() throws Exception {
    log.open();
    EventWriter writer = start();
    CompletableFuture<Long> end = new CompletableFuture<>();
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    end.complete(writer.awaitEnd(9, LONG));
                  } catch (InterruptedException e) {
                    end.completeExceptionally(e);
                  }
                });
    writer.close();

    assertThat(end.get()).isZero();
    reader.join();
  }

  @Test
  void close_whileEventsWait_writesThemAndRefusesLaterOnes() throws Exception {
    EventWriter writer = startBusy();
    for (int i = 0; i < 3; i++) {
      assertThat(writer.offer(scored(i))).isTrue();
    }
    CompletableFuture<Outcome> waiting = submit(writer, label(2, 0));
    log.open();
    writer.close();
    writer.close();

    assertThat(log.end()).isEqualTo(5);
    assertThat(waiting).isCompletedWithValue(new Outcome.Durable(4));
    assertThat(writer.offer(scored(9))).isFalse();
    assertThat(count("wukong.events.unlogged", "reason", "closed")).isEqualTo(1);
    assertThat(submit(writer, label(1, 0)).get())
        .isEqualTo(new Outcome.Failed("the event log is closed"));
    assertThatThrownBy(() -> writer.append("ctr", new Event.Boundary()))
        .isInstanceOf(EventLogException.class)
        .hasMessage("the event log is closed");
    assertThat(writer.failure()).isEmpty();
  }

  @Test
  void offer_quotaUsedUpAndAllNeeded_refusesUntilTrainingHasGoneOn() throws Exception {
    log.open();
    needed.set(0);
    EventWriter writer = start(ROOM, 1000);
    for (int i = 0; writer.full().isEmpty(); i++) {
      assertThat(i).isLessThan(100);
      assertThat(writer.offer(scored(i))).isTrue();
      assertThat(writer.awaitEnd(i, LONG)).isEqualTo(i + 1);
      writer.sweepNow();
    }
    long end = log.end();

    assertThat(log.bytes()).isGreaterThan(1000);
    assertThat(writer.offer(scored(1000))).isFalse();
    assertThat(count("wukong.events.unlogged", "reason", "quota")).isEqualTo(1);
    assertThat(submit(writer, label(1, 0)).get())
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> assertThat(failed.reason()).startsWith("the log is full: it has "));
    // Or training could not go on.
    assertThat(writer.append("ctr", new Event.Boundary())).isEqualTo(end);
    assertThat(log.begin()).isZero();

    needed.set(end);
    writer.sweepNow();

    assertThat(writer.full()).isEmpty();
    assertThat(log.bytes()).isLessThanOrEqualTo(1000);
    assertThat(writer.offer(scored(1001))).isTrue();
    assertThat(submit(writer, label(1001, 0)).get()).isEqualTo(new Outcome.Durable(end + 2));
  }

  @Test
  void sweep_needFails_logsAllTheSame() throws Exception {
    log.open();
    EventRetention retention =
        new EventRetention(
            Duration.ofDays(1),
            1000,
            () -> {
              throw new IllegalStateException("nobody trains");
            },
            now::get);
    try (EventWriter writer = new EventWriter(log, retention, ROOM, now::get, registry)) {
      assertThat(writer.append("ctr", new Event.Boundary())).isZero();
      writer.sweepNow();
      assertThat(writer.append("ctr", new Event.Boundary())).isEqualTo(1);
    }
  }
}
