package dev.wukong.serving.gating;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What is known of the examples since a moment, by task and slice; and of the newest of them, which
 * a minute of good ones before does not thin out. One thread.
 */
public final class GateWindow {
  private static final int HEADER = 2 * Integer.BYTES + 2 * Long.BYTES;

  /** After so long, an example counts half as much among the newest. */
  private static final double HALF_MS = Duration.ofSeconds(10).toMillis();

  private final List<String> tasks;
  private final List<String> slices;

  /** By task and slice. */
  private final Tally[][] tallies;

  /** Of the newest, by task. */
  private final Tally[] newest;

  /** By task; of all examples there ever were. */
  private final Clumping[] clumping;

  private long nowMs;

  /** When it last was known how alike examples in a row are. */
  private long usualMs;

  /** No example yet. */
  GateWindow(List<String> tasks, List<String> slices) {
    this.tasks = List.copyOf(tasks);
    this.slices = List.copyOf(slices);
    this.tallies = new Tally[tasks.size()][slices.size()];
    this.newest = new Tally[tasks.size()];
    this.clumping = new Clumping[tasks.size()];
    Arrays.setAll(clumping, _ -> new Clumping());
    clear();
  }

  List<String> tasks() {
    return tasks;
  }

  List<String> slices() {
    return slices;
  }

  void clear() {
    Arrays.setAll(newest, task -> new Tally(clumping[task]));
    for (int task = 0; task < tallies.length; task++) {
      Clumping of = clumping[task];
      Arrays.setAll(tallies[task], _ -> new Tally(of));
    }
  }

  /**
   * Nothing is wrong: what came shows how alike examples in a row are, each {@code every} and with
   * as much delay.
   */
  void usual(Duration every) {
    if (nowMs - usualMs >= every.toMillis()) {
      usualMs = nowMs;
      Arrays.stream(clumping).forEach(Clumping::keep);
    }
  }

  /** Something is: what came of late shows nothing. */
  void unusual() {
    usualMs = nowMs;
    Arrays.stream(clumping).forEach(Clumping::drop);
  }

  /** What came of a task says nothing of what will come. */
  void forget(int task) {
    clumping[task].forget();
  }

  /** Time has come to {@code toMs}, by the log's clock. */
  void pass(long toMs) {
    if (nowMs > 0 && toMs > nowMs) {
      double part = Math.pow(0.5, (double) (toMs - nowMs) / HALF_MS);
      Arrays.stream(newest).forEach(of -> of.fade(part));
    }
    usualMs = nowMs == 0 ? toMs : usualMs;
    nowMs = Math.max(nowMs, toMs);
  }

  void add(Judged example) {
    clumping[example.task()].add(example);
    newest[example.task()].add(example);
    for (int slice : example.slices()) {
      tallies[example.task()][slice].add(example);
    }
  }

  Tally of(int task, int slice) {
    return tallies[task][slice];
  }

  /** All examples of a task, the newer ones counting more. */
  Tally newest(int task) {
    return newest[task];
  }

  /** Whether anything can be said of some task. */
  boolean tells() {
    return Arrays.stream(tallies).anyMatch(of -> of[Slices.ALL].tells(GatePolicy.ENOUGH));
  }

  /** Positive examples of a slice, of all tasks. */
  long positives(int slice) {
    return Arrays.stream(tallies).mapToLong(of -> of[slice].positives()).sum();
  }

  /** Figures of every task and slice that has examples. */
  List<Figures> figures() {
    List<Figures> figures = new ArrayList<>();
    for (int task = 0; task < tasks.size(); task++) {
      for (int slice = 0; slice < slices.size(); slice++) {
        if (tallies[task][slice].examples() > 0) {
          figures.add(tallies[task][slice].figures(tasks.get(task), slices.get(slice)));
        }
      }
    }
    return figures;
  }

  private List<Integer> filled() {
    List<Integer> filled = new ArrayList<>();
    for (int i = 0; i < tasks.size() * slices.size(); i++) {
      if (at(i).examples() > 0) {
        filled.add(i);
      }
    }
    return filled;
  }

  private Tally at(int index) {
    return tallies[index / slices.size()][index % slices.size()];
  }

  int bytes() {
    return HEADER
        + newest.length * (Tally.BYTES + Clumping.BYTES)
        + filled().size() * (Integer.BYTES + Tally.BYTES);
  }

  void write(ByteBuffer to) {
    List<Integer> filled = filled();
    to.putInt(tasks.size() * slices.size()).putInt(filled.size()).putLong(nowMs).putLong(usualMs);
    for (int task = 0; task < newest.length; task++) {
      newest[task].write(to);
      clumping[task].write(to);
    }
    for (int index : filled) {
      to.putInt(index);
      at(index).write(to);
    }
  }

  /** Reads what was written; nothing where tasks or slices were others. */
  void read(ByteBuffer from) {
    clear();
    if (from.getInt() != tasks.size() * slices.size()) {
      return;
    }
    int left = from.getInt();
    nowMs = from.getLong();
    usualMs = from.getLong();
    for (int task = 0; task < newest.length; task++) {
      newest[task].read(from);
      clumping[task].read(from);
    }
    for (; left > 0; left--) {
      at(from.getInt()).read(from);
    }
  }
}
