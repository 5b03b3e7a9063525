package dev.wukong.serving.joining;

import dev.wukong.serving.events.Logged;
import dev.wukong.serving.joining.JoinMeters.LabelOutcome;
import dev.wukong.serving.joining.Slot.Phase;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** What time does: it closes windows, and what happened long ago is forgotten. One thread. */
final class Windows {
  private final long horizonMs;
  private final List<JoinTask> tasks;
  private final Kept<Followed> followed;
  private final Kept<ShownRows> shown;
  private final DueQueue.Cursor oldest;
  private final JoinProgress progress;
  private final Verdicts verdicts;
  private final JoinMeters meters;

  /**
   * The windows of {@code tasks}.
   *
   * @param horizonMs after how long what waits is forgotten
   * @param oldest at what is to be forgotten next
   */
  Windows(
      long horizonMs,
      List<JoinTask> tasks,
      Kept<Followed> followed,
      Kept<ShownRows> shown,
      DueQueue.Cursor oldest,
      JoinProgress progress,
      Verdicts verdicts,
      JoinMeters meters) {
    this.horizonMs = horizonMs;
    this.tasks = tasks;
    this.followed = followed;
    this.shown = shown;
    this.oldest = oldest;
    this.progress = progress;
    this.verdicts = verdicts;
    this.meters = meters;
  }

  /** Time passes until an event. While labels are missing, it does nothing. */
  void pass(Logged now, Consumer<Example> examples) {
    if (progress.closes()) {
      close(now, examples);
      forget();
    }
  }

  /** Closes all windows whose time has come, in the order of their times. */
  private void close(Logged now, Consumer<Example> examples) {
    while (true) {
      JoinTask next = null;
      @Nullable Due first = null;
      long firstMs = Long.MAX_VALUE;
      for (JoinTask task : tasks) {
        Due head = head(task.cursor());
        if (head != null && head.atMs() + task.delayMs() < firstMs) {
          next = task;
          first = head;
          firstMs = head.atMs() + task.delayMs();
        }
      }
      if (next == null || first == null || firstMs > now.atMs()) {
        return;
      }
      close(first, next, now, examples);
      next.pass();
    }
  }

  private @Nullable Due head(DueQueue.Cursor cursor) {
    LongStream.Builder coming = LongStream.builder();
    Due head = cursor.head(coming);
    followed.fetch(coming.build().toArray());
    return head;
  }

  private void close(Due entry, JoinTask task, Logged now, Consumer<Example> examples) {
    Followed prediction = followed.get(entry.scored());
    if (prediction == null) {
      return;
    }
    boolean changed = false;
    for (int position : entry.candidates()) {
      Candidate candidate = prediction.candidate(position);
      if (candidate != null) {
        Subject subject = new Subject(entry.scored(), prediction, candidate, now, examples);
        changed |= verdicts.close(subject, task, entry.position());
      }
    }
    if (changed) {
      followed.put(entry.scored(), prediction);
    }
  }

  private void forget() {
    for (Due entry = head(oldest);
        entry != null && entry.atMs() + horizonMs <= progress.atMs();
        entry = head(oldest)) {
      forget(entry);
      progress.forgotten = oldest.pass();
    }
  }

  private void forget(Due entry) {
    Followed prediction = followed.get(entry.scored());
    if (prediction == null) {
      return;
    }
    for (int position : entry.candidates()) {
      Candidate candidate = prediction.candidate(position);
      boolean over = candidate != null && candidate.heldBy() == entry.position();
      if (candidate != null && over) {
        prediction.forget(candidate);
        for (int number = 0; number < candidate.slots(); number++) {
          Slot slot = candidate.slot(number);
          progress.tasks().get(number).waiting -= slot != null && slot.is(Phase.OPEN) ? 1 : 0;
        }
      }
      for (Iterator<Waiting> labels = prediction.waiting().iterator(); labels.hasNext(); ) {
        Waiting label = labels.next();
        if (label.candidate() == position
            && (over || (candidate == null && label.logged() == entry.position()))) {
          labels.remove();
          meters.label(over ? LabelOutcome.UNGIVEN : LabelOutcome.UNEXPOSED);
        }
      }
    }
    if (prediction.isEmpty()) {
      followed.remove(entry.scored());
      shown.remove(entry.scored());
    } else {
      followed.put(entry.scored(), prediction);
    }
  }
}
