package dev.wukong.serving.joining;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * How far the join has come in the log, and what it knows of its time: whether windows may close,
 * which predictions are too old to be exposed. One thread.
 */
final class JoinProgress {
  private static final int FORM = 3;

  /** Parts of the time for which predictions may be exposed; they get too old a part at a time. */
  private static final int PARTS = 16;

  /**
   * So long there may be no event although a process follows the log, which says every few seconds
   * that time has passed.
   */
  private static final long AWAKE_MS = Duration.ofSeconds(15).toMillis();

  /** What a task that is gone has passed. */
  static final long GONE = Long.MAX_VALUE;

  /** How far a task has come; its number at rest is its place among all that there ever were. */
  static final class TaskProgress {
    private final String name;

    /** Up to where in the queue its windows are closed; {@link #GONE}: nobody asks. */
    long passed;

    /** Candidates whose window is open. */
    long waiting;

    /** When its windows opened. */
    final Flow flow;

    TaskProgress(String name, long passed, long waiting, Flow flow) {
      this.name = name;
      this.passed = passed;
      this.waiting = waiting;
      this.flow = flow;
    }

    String name() {
      return name;
    }
  }

  /**
   * Where a part of time begins in the log.
   *
   * @param part its number
   * @param position of its first event; in the log's first part, 0
   */
  private record Mark(long part, long position) {}

  private long position = -1;
  private long atMs;
  private boolean frozen;
  private long quietUntilMs;

  /** Up to where in the queue all is forgotten. */
  long forgotten = -1;

  private final Deque<Mark> marks = new ArrayDeque<>();
  private final List<TaskProgress> tasks = new ArrayList<>();

  /** Position of the last event; -1 where there was none. */
  long position() {
    return position;
  }

  /** Time of the last event. */
  long atMs() {
    return atMs;
  }

  /**
   * Time has come to an event. Where there was none for longer than the grace nobody was there who
   * took labels, and those come again: so nothing closes for the grace, as after {@link #freeze}.
   *
   * @param exposureMs for how long predictions may be exposed
   */
  void move(long to, long nowMs, long exposureMs, long graceMs) {
    if (position >= 0 && nowMs - atMs > Math.max(graceMs, AWAKE_MS)) {
      quietUntilMs = nowMs + graceMs;
    }
    long partMs = exposureMs / PARTS;
    long part = Math.floorDiv(nowMs, partMs);
    if (marks.isEmpty() || marks.getLast().part() < part) {
      marks.add(new Mark(part, marks.isEmpty() ? 0 : to));
    }
    // One part less than all, so that none is exposed that is too old by a part.
    while ((marks.getFirst().part() + PARTS) * partMs <= nowMs) {
      marks.remove();
    }
    position = to;
    atMs = nowMs;
  }

  /** Nothing up to an event is taken any more; predictions from before may still be exposed. */
  void goOnAfter(long last, long lastMs) {
    position = last;
    atMs = lastMs;
  }

  /** The lowest position at which a prediction may still be exposed. */
  long oldestNeeded() {
    return marks.isEmpty() ? 0 : marks.getFirst().position();
  }

  /** Labels are missing, or come again: then nothing closes for {@code graceMs}. */
  void freeze(boolean on, long graceMs) {
    if (frozen && !on) {
      quietUntilMs = atMs + graceMs;
    }
    frozen = on;
  }

  /** Whether labels are missing. */
  boolean frozen() {
    return frozen;
  }

  /** Whether windows may close. */
  boolean closes() {
    return !frozen && atMs >= quietUntilMs;
  }

  /** All tasks that there ever were, by number. */
  List<TaskProgress> tasks() {
    return tasks;
  }

  /** These are the tasks; one that was none begins with what comes from now on. */
  void follow(List<String> names) {
    for (TaskProgress task : tasks) {
      if (!names.contains(task.name())) {
        task.passed = GONE;
      } else if (task.passed == GONE) {
        task.passed = position;
        task.flow.forget();
      }
    }
    for (String name : names) {
      if (tasks.stream().noneMatch(task -> task.name().equals(name))) {
        tasks.add(new TaskProgress(name, position, 0, new Flow()));
      }
    }
  }

  byte[] bytes() {
    ValueWriter to = new ValueWriter(FORM);
    to.number(position);
    to.number(atMs);
    to.number(frozen ? 1 : 0);
    to.number(quietUntilMs);
    to.number(forgotten);
    to.number(marks.size());
    for (Mark mark : marks) {
      to.number(mark.part());
      to.number(mark.position());
    }
    to.number(tasks.size());
    for (TaskProgress task : tasks) {
      to.text(task.name());
      to.number(task.passed);
      to.number(task.waiting);
      to.number(task.flow.beganMs());
      to.number(task.flow.openedMs());
      to.fraction(task.flow.widestMs());
    }
    return to.bytes();
  }

  /** What {@link #bytes} made. */
  static JoinProgress of(byte[] bytes) {
    ValueReader from = new ValueReader("the progress of the join", bytes, FORM);
    JoinProgress progress = new JoinProgress();
    progress.position = from.number();
    progress.atMs = from.number();
    progress.frozen = from.number() != 0;
    progress.quietUntilMs = from.number();
    progress.forgotten = from.number();
    for (int left = from.count(2); left > 0; left--) {
      progress.marks.add(new Mark(from.number(), from.number()));
    }
    for (int left = from.count(6); left > 0; left--) {
      progress.tasks.add(
          new TaskProgress(
              from.text(),
              from.number(),
              from.number(),
              new Flow(from.number(), from.number(), from.fraction())));
    }
    from.end();
    return progress;
  }
}
