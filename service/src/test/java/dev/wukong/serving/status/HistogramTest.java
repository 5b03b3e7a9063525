package dev.wukong.serving.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class HistogramTest {
  private final MeterRegistry registry = new SimpleMeterRegistry();

  /** Buckets up to 10, 20, 50 and 100 ms. */
  private Timer timer(String version) {
    return Timer.builder("t")
        .tag("version", version)
        .serviceLevelObjectives(millis(10), millis(20), millis(50), millis(100))
        .register(registry);
  }

  private static Duration millis(long millis) {
    return Duration.ofMillis(millis);
  }

  private static Histogram of(Timer... timers) {
    Histogram histogram = new Histogram();
    for (Timer timer : timers) {
      histogram.add(timer.takeSnapshot());
    }
    return histogram;
  }

  private static void record(Timer timer, int times, long millis) {
    for (int i = 0; i < times; i++) {
      timer.record(millis(millis));
    }
  }

  @Test
  void quantile_ofAnInterval_looksAtWhatCameInIt() {
    Timer timer = timer("1");
    record(timer, 1000, 5); // Before: must not be seen.
    Histogram before = of(timer);
    record(timer, 50, 15);
    record(timer, 50, 30);
    Histogram now = of(timer);
    assertThat(now.count() - before.count()).isEqualTo(100);
    // The 50th of 100 is the last of those up to 20 ms; the 99th is 98 % of the way from 20 to 50.
    assertThat(now.quantileSince(before, 0.5)).isCloseTo(20, within(1e-9));
    assertThat(now.quantileSince(before, 0.99)).isCloseTo(20 + 30 * 0.98, within(1e-9));
    assertThat(now.quantileSince(before, 0.25)).isCloseTo(15, within(1e-9));
  }

  @Test
  void quantile_nothingMeasured_isUnknown() {
    Timer timer = timer("1");
    record(timer, 3, 5);
    assertThat(of(timer).quantileSince(of(timer), 0.5)).isNaN();
    assertThat(new Histogram().quantileSince(new Histogram(), 0.5)).isNaN();
  }

  @Test
  void quantile_beyondTheLastBound_isThatBound() {
    Timer timer = timer("1");
    record(timer, 10, 5000);
    assertThat(of(timer).quantileSince(new Histogram(), 0.5)).isEqualTo(100);
  }

  @Test
  void quantile_ofSeveralTimers_isOfAllTheyMeasured() {
    Timer one = timer("1");
    Timer two = timer("2");
    record(one, 50, 15);
    record(two, 50, 30);
    assertThat(of(one, two).quantileSince(new Histogram(), 0.5)).isCloseTo(20, within(1e-9));
    assertThat(of(one, two).count()).isEqualTo(100);
  }

  @Test
  void quantile_timerWithoutBuckets_isUnknownButCounted() {
    Timer plain = Timer.builder("plain").register(registry);
    record(plain, 5, 5);
    assertThat(of(plain).count()).isEqualTo(5);
    assertThat(of(plain).quantileSince(new Histogram(), 0.5)).isNaN();
  }
}
