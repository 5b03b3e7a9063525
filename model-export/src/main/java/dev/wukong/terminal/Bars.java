package dev.wukong.terminal;

import dev.wukong.data.Progress;
import java.time.temporal.ChronoUnit;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress bars on the terminal's error stream, with rate and, where it is known, time left. */
public final class Bars {
  private Bars() {}

  /** A bar of {@code rows} rows; -1 where their number is not known. */
  public static ProgressBar rows(String task, long rows) {
    return builder(task, rows).build();
  }

  public static ProgressBarBuilder builder(String task, long rows) {
    ProgressBarBuilder builder =
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(rows)
            .setUnit(" rows", 1)
            .showSpeed()
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(500)
            .setSpeedUnit(ChronoUnit.SECONDS)
            .continuousUpdate();
    return rows < 0 ? builder.setRenderer(new CountRenderer()) : builder;
  }

  /** A bar that shows nothing. */
  public static ProgressBar silent() {
    return new ProgressBarBuilder()
        .setConsumer(new me.tongfei.progressbar.DelegatingProgressBarConsumer(line -> {}))
        .build();
  }

  /** Tells {@code bar} of every 1024th row: it is called for each. */
  public static Progress on(ProgressBar bar) {
    return rows -> {
      if ((rows & 1023) == 0) {
        bar.stepTo(rows);
      }
    };
  }
}
