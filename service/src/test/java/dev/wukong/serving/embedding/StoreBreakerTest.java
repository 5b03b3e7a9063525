package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class StoreBreakerTest {
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1000); // Overflows on the way.
  private final StoreBreaker breaker = new StoreBreaker(now::get);

  private void pass(int millis) {
    now.addAndGet(Duration.ofMillis(millis).toNanos());
  }

  private void fail(int times) {
    for (int i = 0; i < times; i++) {
      assertThat(breaker.allows()).isTrue();
      breaker.failed();
    }
  }

  @Test
  void allows_someFailures_isTrueUntilThereAreFiveInARow() {
    fail(4);
    breaker.succeeded();
    fail(4);
    assertThat(breaker.open()).isFalse();
    assertThat(breaker.allows()).isTrue();
    breaker.failed();
    assertThat(breaker.open()).isTrue();
    assertThat(breaker.allows()).isFalse();
  }

  @Test
  void allows_afterAPause_letsOneTry() {
    fail(5);
    pass(499);
    assertThat(breaker.allows()).isFalse();
    pass(1);
    assertThat(breaker.allows()).isTrue();
    assertThat(breaker.allows()).isFalse();
    breaker.succeeded();
    assertThat(breaker.open()).isFalse();
    assertThat(breaker.allows()).isTrue();
    assertThat(breaker.allows()).isTrue();
  }

  @Test
  void failed_eachTry_waitsTwiceAsLongUpToALimit() {
    fail(5);
    int pause = 500;
    for (int i = 0; i < 10; i++) {
      pass(pause - 1);
      assertThat(breaker.allows()).isFalse();
      pass(1);
      assertThat(breaker.allows()).isTrue();
      breaker.failed();
      pause = Math.min(2 * pause, 15_000);
    }
    assertThat(pause).isEqualTo(15_000);
  }

  @Test
  void failed_readsThatWereUnderWay_doNotMakeThePauseLonger() {
    fail(5);
    for (int i = 0; i < 20; i++) {
      breaker.failed();
    }
    pass(499);
    assertThat(breaker.allows()).isFalse();
    pass(1);
    assertThat(breaker.allows()).isTrue();
    breaker.failed();
    breaker.failed();
    pass(999);
    assertThat(breaker.allows()).isFalse();
    pass(1);
    assertThat(breaker.allows()).isTrue();
  }

  /** The one that tries may be lost: the next tries after another pause. */
  @Test
  void allows_nobodyTellsHowTheTryWent_letsAnotherTryLater() {
    fail(5);
    pass(500);
    assertThat(breaker.allows()).isTrue();
    pass(500);
    assertThat(breaker.allows()).isTrue();
  }
}
