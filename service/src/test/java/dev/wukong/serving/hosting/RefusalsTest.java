package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class RefusalsTest {
  private static final LoadFailure PASSING = new LoadFailure("disk full at 12 bytes", true);
  private static final FolderState BEFORE = folder(1);
  private static final FolderState AFTER = folder(2);

  private static FolderState folder(long modified) {
    return new FolderState(
        List.of(new FolderState.Entry("a", 1, FileTime.fromMillis(modified), "")));
  }

  @Test
  void add_sameButForNumbers_isNoNews() {
    Refusals refusals = new Refusals(Duration.ofSeconds(1));
    assertThat(refusals.add("m", 1, BEFORE, PASSING, 0)).isTrue();
    assertThat(refusals.add("m", 1, AFTER, new LoadFailure("disk full at 340 bytes", true), 0))
        .isFalse();
    assertThat(refusals.add("m", 1, AFTER, new LoadFailure("no such disk", true), 0)).isTrue();
    assertThat(refusals.add("m", 2, AFTER, new LoadFailure("no such disk", true), 0)).isTrue();
  }

  @Test
  void mayTry_folderChanged_isAtOnceAndPausesBeginAnew() {
    Refusals refusals = new Refusals(Duration.ofNanos(10));
    refusals.add("m", 1, BEFORE, PASSING, 0);
    refusals.add("m", 1, BEFORE, PASSING, 10);
    assertThat(refusals.mayTry("m", 1, BEFORE, 29)).isFalse();
    assertThat(refusals.mayTry("m", 1, BEFORE, 30)).isTrue();
    assertThat(refusals.mayTry("m", 1, AFTER, 11)).isTrue();
    refusals.add("m", 1, AFTER, PASSING, 11);
    assertThat(refusals.mayTry("m", 1, AFTER, 20)).isFalse();
    assertThat(refusals.mayTry("m", 1, AFTER, 21)).isTrue();
  }

  @Test
  void mayTry_clockWrapsAround_keepsThePause() {
    Refusals refusals = new Refusals(Duration.ofNanos(10));
    refusals.add("m", 1, BEFORE, PASSING, Long.MAX_VALUE - 2);
    assertThat(refusals.mayTry("m", 1, BEFORE, Long.MAX_VALUE)).isFalse();
    assertThat(refusals.mayTry("m", 1, BEFORE, Long.MIN_VALUE + 7)).isTrue();
  }
}
