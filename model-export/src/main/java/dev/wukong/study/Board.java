package dev.wukong.study;

import dev.wukong.run.TrainingReport;
import dev.wukong.terminal.Bars;
import java.io.Console;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;

/**
 * What the terminal shows of the runs: lines that stay, and below them a bar for each run at work.
 * Bars need a terminal that moves its cursor; elsewhere only the lines are written. Any thread.
 */
public final class Board {
  private static final int DEFAULT_WIDTH = 79;

  private final PrintWriter out;
  private final PrintWriter terminal;
  private final boolean bars;
  private final Map<Line, String> shown = new LinkedHashMap<>();
  private int drawn;

  /**
   * A board.
   *
   * @param out where lines go
   * @param terminal where bars go
   */
  public Board(PrintWriter out, PrintWriter terminal, boolean bars) {
    this.out = out;
    this.terminal = terminal;
    this.bars = bars;
  }

  /** Whether this process writes to a terminal that moves its cursor. */
  @SuppressWarnings("SystemConsoleNull") // NullAway knows the older contract.
  public static boolean movesCursor() {
    String kind = System.getenv("TERM");
    Console console = System.console();
    return console != null && console.isTerminal() && kind != null && !kind.equals("dumb");
  }

  /** Writes a line that stays. */
  public synchronized void say(String line) {
    erase();
    out.println(line);
    out.flush();
    draw();
  }

  /** A bar for a run, until it is closed. */
  Line line(String run, long rows) {
    return new Line(run, rows);
  }

  private synchronized void show(Line line, String text) {
    if (line.closed) {
      return; // The bar's own thread may be late.
    }
    erase();
    shown.put(line, text);
    draw();
  }

  private synchronized void hide(Line line) {
    line.closed = true;
    erase();
    shown.remove(line);
    draw();
  }

  private void erase() {
    if (drawn > 0) {
      terminal.print("\u001b[" + drawn + "A\r\u001b[J");
      terminal.flush();
      drawn = 0;
    }
  }

  private void draw() {
    if (bars) {
      shown.values().forEach(terminal::println);
      terminal.flush();
      drawn = shown.size();
    }
  }

  private static int width() {
    String columns = System.getenv("COLUMNS");
    return columns != null && columns.matches("[1-9][0-9]{1,3}")
        ? Integer.parseInt(columns) - 1
        : DEFAULT_WIDTH;
  }

  /** What is said of one run at work. One thread. */
  final class Line implements AutoCloseable {
    private final String run;
    private final ProgressBar bar;
    private boolean closed; // Guarded by the board.

    private Line(String run, long rows) {
      this.run = run;
      this.bar =
          bars
              ? Bars.builder(run, rows)
                  .setConsumer(
                      new DelegatingProgressBarConsumer(
                          text -> show(this, text.stripTrailing()), width()))
                  .build()
              : Bars.silent();
    }

    void progress(int epoch, long rows, long of, double loss) {
      bar.maxHint(of);
      TrainingReport.show(bar, epoch, rows, loss);
    }

    void epoch(CurvePoint point) {
      StringBuilder line =
          new StringBuilder(
              String.format(
                  Locale.ROOT,
                  "%s epoch %d: loss %.5f, %,.0f examples/s",
                  run,
                  point.epoch(),
                  point.loss(),
                  point.examplesPerSecond()));
      point
          .valid()
          .forEach(
              (task, m) ->
                  line.append(
                      String.format(
                          Locale.ROOT, "; %s auc %.6f logloss %.6f", task, m.auc(), m.logLoss())));
      say(line.append(point.best() ? " *" : "").toString());
    }

    void resumed(int epochs, long rows, long of) {
      say(run + " " + TrainingReport.place("resumed", epochs, rows, of));
    }

    void stopped(int epochs, long rows, long of) {
      say(run + " " + TrainingReport.place("stopped", epochs, rows, of));
    }

    @Override
    public void close() {
      bar.close();
      hide(this);
    }
  }
}
