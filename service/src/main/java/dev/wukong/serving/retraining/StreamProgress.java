package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.embedding.StateStore.Remembered;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.PredictionRun;
import dev.wukong.serving.events.StreamPlace;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Up to where the streams of a cluster were read for what a model has learned, and where in them
 * its predictions stand that may still be needed: so that whoever trains next goes on there, with a
 * log in which each prediction has the position that it had. One thread.
 */
public final class StreamProgress {
  private static final long KEY = 1;

  /** Runs that are read together. */
  private static final int PAGE = 1024;

  private @Nullable StreamPlace place;
  private final List<PredictionRun> runs = new ArrayList<>();
  private long end;
  private long oldestBefore;

  StreamProgress() {}

  /** Takes what stands in the log before {@code next}. */
  void take(long next, Event.Sequenced event) {
    place = event.place();
    runs.addAll(event.runs());
    end = next + event.events();
  }

  /** Whether all that was brought together with the event before {@code next} was taken. */
  boolean whole(long next) {
    return next >= end;
  }

  /**
   * What has changed since this was last asked.
   *
   * @param oldestNeeded the lowest position of a prediction that may still be read
   */
  List<StateChange> drain(long oldestNeeded) {
    StreamPlace now = place;
    if (now == null) {
      return List.of();
    }
    List<StateChange> changes = new ArrayList<>();
    changes.add(new StateChange.Put(StateKind.CURSOR, KEY, now.bytes()));
    if (!runs.isEmpty()) {
      long first = runs.getFirst().position();
      changes.add(new StateChange.Put(StateKind.RUNS, first, PredictionRun.bytes(runs)));
    }
    // What is kept together began before the last of its runs, but not by so much.
    changes.add(new StateChange.RemoveBelow(StateKind.RUNS, oldestBefore));
    oldestBefore = oldestNeeded;
    place = null;
    runs.clear();
    return changes;
  }

  /** Up to where the streams were read for what {@code model} has learned by the last commit. */
  public static StreamPlace place(StateStore store, String model) {
    byte[] bytes =
        store.state(new RowsView(model, 1, 0), StateKind.CURSOR, new long[] {KEY}).getFirst();
    return bytes == null ? StreamPlace.NONE : StreamPlace.of(bytes);
  }

  /** The runs that may still be needed, by ascending position. */
  public static List<PredictionRun> runs(StateStore store, String model) {
    List<PredictionRun> found = new ArrayList<>();
    RowsView view = new RowsView(model, 1, 0);
    long after = -1;
    while (true) {
      List<Remembered> page = store.states(view, StateKind.RUNS, after, PAGE);
      page.forEach(one -> found.addAll(PredictionRun.of(one.value())));
      if (page.size() < PAGE) {
        return found;
      }
      after = page.getLast().key();
    }
  }
}
