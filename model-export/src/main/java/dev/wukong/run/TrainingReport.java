package dev.wukong.run;

import dev.wukong.training.Trainer;
import java.io.PrintWriter;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;

/** Says how training goes: a line an epoch, and a progress bar. Called by the training thread. */
public final class TrainingReport implements Trainer.Listener {
  private final PrintWriter out;
  private final ProgressBar bar;
  private double rates;
  private int epochs;

  TrainingReport(PrintWriter out, ProgressBar bar) {
    this.out = out;
    this.bar = bar;
  }

  /** The mean over the epochs that ended; NaN where none did. */
  double rowsPerSecond() {
    return rates / epochs;
  }

  @Override
  public void progress(int epoch, long rows, long of, double loss) {
    show(bar, epoch, rows, loss);
  }

  /** Moves {@code bar} to {@code rows} of an epoch, whose rate and time left are its own. */
  public static void show(ProgressBar bar, int epoch, long rows, double loss) {
    if (rows < bar.getCurrent()) {
      bar.reset();
    }
    bar.stepTo(rows);
    bar.setExtraMessage(String.format(Locale.ROOT, " epoch %d loss %.4f", epoch, loss));
  }

  @Override
  public void epoch(Trainer.Epoch epoch) {
    bar.refresh();
    rates += epoch.rowsPerSecond();
    epochs++;
    StringBuilder line =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "epoch %d: loss %.5f, %,.0f examples/s",
                epoch.epoch(),
                epoch.loss(),
                epoch.rowsPerSecond()));
    epoch
        .validation()
        .forEach(
            (task, m) ->
                line.append(
                    String.format(
                        Locale.ROOT,
                        "; %s auc %.6f logloss %.6f ne %.5f",
                        task,
                        m.auc(),
                        m.logLoss(),
                        m.normalizedEntropy())));
    out.println(line.append(epoch.best() ? " *" : ""));
    out.flush();
  }

  @Override
  public void resumed(int epochs, long rows, long of) {
    say("resumed", epochs, rows, of);
  }

  @Override
  public void stopped(int epochs, long rows, long of) {
    bar.refresh();
    say("stopped", epochs, rows, of);
  }

  private void say(String what, int done, long rows, long of) {
    out.println(place(what, done, rows, of));
    out.flush();
  }

  /** Where a training is: {@code what} after so many whole epochs and rows of the next. */
  public static String place(String what, int done, long rows, long of) {
    return rows == 0
        ? String.format(Locale.ROOT, "%s after epoch %d", what, done)
        : String.format(
            Locale.ROOT, "%s in epoch %d after %,d of %,d rows", what, done + 1, rows, of);
  }
}
