package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** What the quickstart shows of live traffic. */
class LiveFiguresTest {
  @Test
  void window_moreThanItsSize_forgetsTheOldest() {
    LiveWindow window = new LiveWindow(4, 2);
    for (int i = 0; i < 10; i++) {
      window.add(false, 0.9, 0.1); // Long gone at the end.
    }
    for (int i = 0; i < 2; i++) {
      window.add(true, 0.5, 0.8);
      window.add(false, 0.5, 0.2);
    }
    assertThat(window.held()).isEqualTo(4);
    double[] entropies = window.normalizedEntropies();
    assertThat(entropies).hasSize(2);
    assertThat(entropies[0]).isEqualTo(1, within(1e-12)); // The base rate itself.
    assertThat(entropies[1]).isEqualTo(-Math.log(0.8) / Math.log(2), within(1e-12));
  }

  @Test
  void line_figuresWithinAndBeyond_areMarkedInTheirPlaces() {
    MarkedLine scale = new MarkedLine(0, 1, 11);
    assertThat(scale.of("BLF", 0.1, 0.5, 7)).isEqualTo("|.B...L....F|");
    assertThat(scale.of("BLF", -1, -1, Double.NaN)).isEqualTo("|B..........|");
    assertThat(scale.header()).isEqualTo("0.00     1.00");
  }
}
