package dev.wukong.serving.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RowLifeTest {
  private static final Instant NOW = Instant.parse("2026-11-29T10:00:00Z");

  @Test
  void of_itsBytes_isTheSame() {
    RowLife life = new RowLife(NOW, 12);
    assertThat(RowLife.of(life.bytes())).isEqualTo(life);
  }

  @Test
  void of_otherBytes_saysHowMany() {
    assertThatThrownBy(() -> RowLife.of(new byte[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the life of a row has 12 bytes, not 3");
  }

  @Test
  void again_anEventThatIsLate_countsAndMakesTheRowNoOlder() {
    RowLife life = new RowLife(NOW, 1).again(NOW.minus(Duration.ofHours(1)));
    assertThat(life).isEqualTo(new RowLife(NOW, 2));
    assertThat(life.again(NOW.plusSeconds(1))).isEqualTo(new RowLife(NOW.plusSeconds(1), 3));
    assertThat(new RowLife(NOW, Integer.MAX_VALUE).again(NOW).times()).isEqualTo(Integer.MAX_VALUE);
  }
}
