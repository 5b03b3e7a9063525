package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;

class JoinMetersTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  private double gauge(String name, String... tags) {
    return registry.get(name).tags(tags).gauge().value();
  }

  @Test
  void joining_laterVersionHasOtherTasks_gaugesSayWhatIsNow() {
    JoinMeters meters = new JoinMeters("ctr", registry).joining(List.of("click", "like"));
    meters.frozen(true);
    meters.waiting("click", 3);
    meters.waiting("like", 5);

    JoinMeters later = meters.joining(List.of("click", "buy"));
    later.frozen(false);
    later.watermark(7_000);
    later.waiting("click", 4);
    later.waiting("buy", 6);

    assertThat(gauge("wukong.join.frozen")).isZero();
    assertThat(gauge("wukong.join.watermark")).isEqualTo(7);
    assertThat(gauge("wukong.join.waiting", "task", "click")).isEqualTo(4);
    assertThat(gauge("wukong.join.waiting", "task", "buy")).isEqualTo(6);
    assertThat(gauge("wukong.join.waiting", "task", "like")).isZero();
  }
}
