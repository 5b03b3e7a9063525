package dev.wukong.serving.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class EventRetentionTest {
  private static final Duration AGE = Duration.ofHours(1);
  private static final long BEGAN = 1_700_000_000_000L;
  private static final long MINUTE = Duration.ofMinutes(1).toMillis();

  private final AtomicLong now = new AtomicLong(BEGAN);
  private final AtomicLong needed = new AtomicLong(Long.MAX_VALUE);
  private final HeapEventLog log = new HeapEventLog();

  private EventRetention retention(long quotaBytes) {
    return new EventRetention(AGE, quotaBytes, needed::get, now::get);
  }

  /** A prediction a minute; returns the bytes of one. */
  private long fill(int count) {
    for (int i = 0; i < count; i++) {
      log.append(now.get(), List.of(SampleEvents.scored("ctr", id(i), 2)));
      now.addAndGet(MINUTE);
    }
    return log.bytes() / count;
  }

  private static PredictionId id(int number) {
    return SampleEvents.id(BEGAN + number * MINUTE, number);
  }

  @Test
  void sweep_emptyLog_doesNothing() {
    assertThat(retention(1).sweep(log)).isEmpty();
    assertThat(log.begin()).isZero();
  }

  @Test
  void sweep_oldEvents_goAndTheYoungStay() {
    long _ = fill(100);

    assertThat(retention(Long.MAX_VALUE).sweep(log)).isEmpty();

    // At minute 100 the event of minute 40 is an hour old.
    assertThat(log.begin()).isEqualTo(40);
    assertThat(log.find(id(39))).isEmpty();
    assertThat(log.find(id(40))).isPresent();
    assertThat(log.end()).isEqualTo(100);
  }

  @Test
  void sweep_allOld_goAll() {
    long _ = fill(10);
    now.addAndGet(Duration.ofDays(2).toMillis());

    assertThat(retention(Long.MAX_VALUE).sweep(log)).isEmpty();

    assertThat(log.begin()).isEqualTo(10);
    assertThat(log.bytes()).isZero();
  }

  @Test
  void sweep_oldButNeeded_stay() {
    long _ = fill(100);
    needed.set(25);

    assertThat(retention(Long.MAX_VALUE).sweep(log)).isEmpty();

    assertThat(log.begin()).isEqualTo(25);
  }

  @Test
  void sweep_beyondTheQuota_theOldestGo() {
    long each = fill(50);

    assertThat(retention(20 * each).sweep(log)).isEmpty();

    assertThat(log.begin()).isBetween(30L, 31L);
    assertThat(log.bytes()).isLessThanOrEqualTo(20 * each);
  }

  @Test
  void sweep_beyondTheQuotaAndNeeded_saysThatItIsFull() {
    long each = fill(50);
    needed.set(10);

    assertThat(retention(20 * each).sweep(log).orElseThrow())
        .startsWith("the log is full: it has ")
        .endsWith(
            ", and training needs all from event 10 on: what it has not come to, and predictions"
                + " that may still be exposed (wukong.online.exposure)");
    assertThat(log.begin()).isEqualTo(10);

    needed.set(40);
    assertThat(retention(20 * each).sweep(log)).isEmpty();
    assertThat(log.bytes()).isLessThanOrEqualTo(20 * each);
  }

  /** Of random logs and needs, none that is needed goes. */
  @Test
  void sweep_again_neverTakesWhatIsNeeded() {
    for (int step = 0; step < 200; step++) {
      long each = fill(3);
      needed.set(step);
      boolean full = retention(15 * each).sweep(log).isPresent();
      assertThat(log.begin()).isLessThanOrEqualTo(step);
      assertThat(full).isEqualTo(log.bytes() > 15 * each);
    }
  }

  @Test
  void sweep_lastPredictionsOfABusyLog_areStillFound() {
    long _ = fill(100);

    Object _ = retention(Long.MAX_VALUE).sweep(log);

    for (int i = 40; i < 100; i++) {
      assertThat(log.find(id(i))).isPresent();
    }
  }
}
