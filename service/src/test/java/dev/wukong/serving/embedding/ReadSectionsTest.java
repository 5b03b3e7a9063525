package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReadSectionsTest {
  private final ReadSections sections = new ReadSections();

  @Test
  void advance_nobodyReads_isTwoEpochsOn() {
    long before = sections.epoch();
    assertThat(sections.advance()).isEqualTo(before + 2);
    assertThat(sections.epoch()).isEqualTo(before + 2);
  }

  @Test
  void advance_aReaderIsInside_neverReachesTwoEpochsAfterIt() {
    sections.advance();
    long entered = sections.epoch();
    int reader = sections.enter();
    for (int i = 0; i < 5; i++) {
      assertThat(sections.advance()).isEqualTo(entered + 1);
      // Others may come and go meanwhile.
      sections.leave(sections.enter());
    }
    int later = sections.enter();
    sections.leave(reader);
    assertThat(sections.advance()).isEqualTo(entered + 2);
    assertThat(sections.advance()).isEqualTo(entered + 2);
    sections.leave(later);
    assertThat(sections.advance()).isEqualTo(entered + 4);
  }

  @Test
  void leave_onAnotherThread_counts() throws Exception {
    int reader = sections.enter();
    long entered = sections.epoch();
    Thread other = Thread.ofVirtual().start(() -> sections.leave(reader));
    other.join();
    assertThat(sections.advance()).isEqualTo(entered + 2);
  }
}
