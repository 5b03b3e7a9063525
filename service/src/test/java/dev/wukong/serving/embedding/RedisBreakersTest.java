package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RedisBreakersTest {
  private final RedisBreakers breakers = new RedisBreakers();

  @Test
  void of_anotherVersionOfTheBundle_isTheSame_andAnotherBundleIsNot() {
    StoreBreaker[] first = breakers.of(new RowsView("ctr", 1, 0));
    assertThat(first).hasSize(RedisKeys.SHARDS).doesNotContainNull().doesNotHaveDuplicates();
    assertThat(breakers.of(new RowsView("ctr", 1, 9))).isSameAs(first);
    assertThat(breakers.of(new RowsView("ctr", 2, 0))).isNotSameAs(first);
    assertThat(breakers.of(new RowsView("cvr", 1, 0))).isNotSameAs(first);
  }

  @Test
  void forget_aBundle_beginsAnew() {
    StoreBreaker[] first = breakers.of(new RowsView("ctr", 1, 0));
    breakers.forget(new RowsView("ctr", 1, 5));
    assertThat(breakers.of(new RowsView("ctr", 1, 0))).isNotSameAs(first);
  }
}
