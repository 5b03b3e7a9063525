package dev.wukong.terminal;

import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBarRenderer;
import me.tongfei.progressbar.ProgressState;

/** What a bar shows whose end is not known: rows so far, their rate, and the time taken. */
final class CountRenderer implements ProgressBarRenderer {
  @Override
  public String render(ProgressState progress, int maxLength) {
    String line =
        line(progress.getTaskName(), progress.getCurrent(), progress.getElapsedAfterStart());
    return line.length() <= maxLength ? line : line.substring(0, Math.max(0, maxLength));
  }

  static String line(String task, long rows, Duration elapsed) {
    double seconds = elapsed.toMillis() / 1000.0;
    String rate = seconds > 0 ? String.format(Locale.ROOT, ", %,.0f rows/s", rows / seconds) : "";
    return String.format(Locale.ROOT, "%s  %,d rows%s, %s", task, rows, rate, time(elapsed));
  }

  private static String time(Duration duration) {
    long seconds = duration.toSeconds();
    return seconds < 60 ? seconds + " s" : seconds / 60 + " min " + seconds % 60 + " s";
  }
}
