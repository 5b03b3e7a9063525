package dev.wukong.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BarsTest {
  /** The last line that a bar of {@code total} rows shows after 1500 of them. */
  private static String last(long total) {
    List<String> lines = new CopyOnWriteArrayList<>();
    try (ProgressBar bar =
        Bars.builder("encode", total)
            .setConsumer(new DelegatingProgressBarConsumer(lines::add, 200))
            .build()) {
      bar.stepTo(1500);
    }
    assertThat(lines).isNotEmpty();
    return lines.getLast();
  }

  @Test
  void rows_totalUnknown_showsRowsRateAndTimeOnly() {
    assertThat(last(-1)).matches("encode  1,500 rows(, [\\d,]+ rows/s)?, \\d+ s");
  }

  @Test
  void rows_totalKnown_showsTheShare() {
    assertThat(last(3000)).startsWith("encode").contains(" 50%");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, '0 rows, 0 s'",
    "999, 500, '999 rows, 1,998 rows/s, 0 s'",
    "1234567, 59999, '1,234,567 rows, 20,576 rows/s, 59 s'",
    "60, 125000, '60 rows, 0 rows/s, 2 min 5 s'"
  })
  void line_rowsAndTime_areWrittenOut(long rows, long millis, String expected) {
    assertThat(CountRenderer.line("encode", rows, Duration.ofMillis(millis)))
        .isEqualTo("encode  " + expected);
  }
}
