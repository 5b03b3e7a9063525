package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PaceTest {
  private static final long MS = 1_000_000;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Processor processor = new Processor();

  /** A clock that goes on by a moment whenever somebody looks, and requests that end at a time. */
  private static final class Processor implements Pace.Requests {
    private long nanos;
    private long worked;
    private long busyUntil;
    private long queuedUntil;

    long nanos() {
      return nanos += MS / 10;
    }

    long worked() {
      return worked;
    }

    void work(long piece) {
      nanos += piece;
      worked += piece;
    }

    @Override
    public int inWork() {
      return nanos < busyUntil || nanos < queuedUntil ? 500 : 0;
    }

    @Override
    public int waiting() {
      return nanos < queuedUntil ? 500 : 0;
    }
  }

  private Pace pace(double share) {
    Pace pace = new Pace("m", share, processor::nanos, processor::worked, registry);
    pace.begin();
    return pace;
  }

  /** Milliseconds for which it waits. */
  private double rest(Pace pace) {
    long before = processor.nanos;
    pace.rest(processor);
    return (processor.nanos - before) / (double) MS;
  }

  private double paced() {
    return registry.get("wukong.online.paced").timer().totalTime(TimeUnit.MILLISECONDS);
  }

  @Test
  void rest_whileRequestsAreInWork_leavesThemTheirShare() {
    Pace pace = pace(0.25);
    processor.busyUntil = Long.MAX_VALUE;
    processor.work(10 * MS);
    assertThat(rest(pace)).isBetween(29.0, 31.0);
    assertThat(paced()).isBetween(28.0, 31.0);
  }

  @Test
  void rest_workThatWasInterrupted_countsTheTimeThatOthersHad() {
    Pace pace = pace(0.25);
    processor.busyUntil = Long.MAX_VALUE;
    processor.work(10 * MS);
    processor.nanos += 20 * MS;
    assertThat(rest(pace)).isBetween(9.0, 11.0);
  }

  @Test
  void rest_nothingInWork_doesNotWait() {
    Pace pace = pace(0.25);
    processor.work(10 * MS);
    assertThat(rest(pace)).isLessThan(1);
    assertThat(paced()).isZero();
  }

  @Test
  void rest_requestsEndMeanwhile_goesOn() {
    Pace pace = pace(0.1);
    processor.work(10 * MS);
    processor.busyUntil = processor.nanos + 5 * MS;
    assertThat(rest(pace)).isBetween(5.0, 6.0);
  }

  @Test
  void rest_requestsQueue_waitsUntilTheyDoNot() {
    Pace pace = pace(0.5);
    processor.work(10 * MS);
    processor.queuedUntil = processor.nanos + 50 * MS;
    assertThat(rest(pace)).isBetween(50.0, 51.0);
  }

  @Test
  void rest_requestsQueueForEver_goesOnAFifthAsFast() {
    Pace pace = pace(0.5);
    processor.work(10 * MS);
    processor.queuedUntil = Long.MAX_VALUE;
    assertThat(rest(pace)).isBetween(89.0, 91.0);
  }

  @Test
  void rest_afterALongPiece_waitsForASecondAtMost() {
    Pace pace = pace(0.01);
    processor.queuedUntil = Long.MAX_VALUE;
    processor.work(500 * MS);
    assertThat(rest(pace)).isBetween(999.0, 1001.0);
  }

  @Test
  void rest_afterLittle_waitsForMoreWork() {
    Pace pace = pace(0.1);
    processor.busyUntil = Long.MAX_VALUE;
    processor.work(MS / 2);
    assertThat(rest(pace)).isLessThan(1);
    processor.work(MS);
    assertThat(rest(pace)).isGreaterThan(10);
  }

  @Test
  void rest_wholeShare_neverWaits() {
    Pace pace = pace(1);
    processor.queuedUntil = Long.MAX_VALUE;
    processor.work(100 * MS);
    assertThat(rest(pace)).isLessThan(1);
  }
}
