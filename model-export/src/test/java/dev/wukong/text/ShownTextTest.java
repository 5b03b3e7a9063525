package dev.wukong.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ShownTextTest {
  @Test
  void of_eightyCharacters_areWhole() {
    String text = "x".repeat(80);
    assertThat(ShownText.of(text)).isEqualTo(text);
  }

  @Test
  void of_more_isCut() {
    assertThat(ShownText.of("x".repeat(81))).isEqualTo("x".repeat(80) + "...");
  }

  @Test
  void of_aPairOfSurrogatesAtTheEnd_isNotHalved() {
    assertThat(ShownText.of("x".repeat(79) + "\uD83D\uDE00 and more"))
        .isEqualTo("x".repeat(79) + "...");
  }
}
