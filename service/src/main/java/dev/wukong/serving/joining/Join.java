package dev.wukong.serving.joining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.joining.JoinMeters.ExposureOutcome;
import dev.wukong.serving.joining.JoinMeters.LabelOutcome;
import dev.wukong.serving.joining.JoinProgress.TaskProgress;
import dev.wukong.serving.joining.Slot.Phase;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.function.Consumer;

/**
 * Makes examples of what was predicted, exposed and labelled: a candidate is the subject of some
 * once a user saw it; a positive label gives an example at once, no label one when the window of
 * its task is over, and neither while only one of them comes. What is due at the time of an event
 * comes out before what it brings about.
 *
 * <p>What comes out depends on the model's events in the log and nothing else. State changes with
 * what is learned from it, in one write; after a crash another one goes on from the last commit and
 * gives the same again. After a commit that failed another one has to be made from the store: this
 * one is ahead of it. One thread, that of training.
 */
public final class Join {
  /** The first of the keys of {@link StateKind#CURSOR} that are the join's; it has no others. */
  public static final long FIRST_CURSOR = 1 << 16;

  private static final long CURVES = FIRST_CURSOR + 1;

  /** Predictions that stay in memory, those used last. */
  private static final int KEPT = 4096;

  /** What each that waits has in memory of what it waits for. */
  private static final int PAGE = 256;

  private final String model;
  private final JoinPolicy policy;
  private final ScoredEvents scored;
  private final JoinMeters meters;
  private final JoinProgress progress;
  private final Kept<Followed> followed;
  private final Kept<ShownRows> shown;
  private final DueQueue due;
  private final List<JoinTask> tasks;
  private final Verdicts verdicts;
  private final Windows windows;

  /**
   * Goes on where the last commit was. A task that there was none of then has examples of what is
   * exposed from now on.
   *
   * @param view of any bundle of the model: all share the state
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   * @throws IllegalStateException if what it holds is damaged
   */
  public Join(
      StateStore store, RowsView view, JoinPolicy policy, ScoredEvents scored, JoinMeters meters) {
    this(store, view, policy, scored, meters, KEPT, PAGE);
  }

  Join(
      StateStore store,
      RowsView view,
      JoinPolicy policy,
      ScoredEvents scored,
      JoinMeters meters,
      int kept,
      int page) {
    this.model = view.model();
    this.policy = policy;
    this.scored = scored;
    this.meters = meters;
    progress = progress(store, view);
    progress.follow(policy.tasks());
    followed =
        new Kept<>(store, view, StateKind.JOIN, Kept.Form.of(Followed::bytes, Followed::of), kept);
    shown =
        new Kept<>(
            store, view, StateKind.SHOWN, Kept.Form.of(ShownRows::bytes, ShownRows::of), kept);
    due = new DueQueue(store, view, page, progress.forgotten);
    tasks = tasks(store, view);
    verdicts = new Verdicts(shown, progress, policy.negatives(), meters);
    windows =
        new Windows(
            policy.horizon().toMillis(),
            tasks,
            followed,
            shown,
            due.cursor(progress.forgotten),
            progress,
            verdicts,
            meters);
    measure();
  }

  /** How far a model had come at the last commit. */
  public static LogPlace place(StateStore store, String model) {
    JoinProgress progress = progress(store, new RowsView(model, 1, 0));
    return progress.position() < 0
        ? LogPlace.NONE
        : new LogPlace(progress.position() + 1, progress.atMs());
  }

  /**
   * Passes over what comes before {@code place} in the log: a join that has taken nothing.
   *
   * @throws IllegalStateException where it has
   */
  public void goOnAfter(LogPlace place) {
    if (progress.position() >= 0) {
      throw new IllegalStateException("it has come to event " + progress.position());
    }
    progress.goOnAfter(place.next() - 1, place.lastMs());
    measure();
  }

  private static JoinProgress progress(StateStore store, RowsView view) {
    byte[] progressed = store.state(view, StateKind.CURSOR, new long[] {FIRST_CURSOR}).getFirst();
    return progressed == null ? new JoinProgress() : JoinProgress.of(progressed);
  }

  private List<JoinTask> tasks(StateStore store, RowsView view) {
    List<JoinTask> made = new ArrayList<>();
    for (String name : policy.tasks()) {
      int number = number(name);
      TaskProgress task = progress.tasks().get(number);
      byte[] curve = store.state(view, StateKind.CURSOR, new long[] {CURVES + number}).getFirst();
      TaskPolicy of = policy.of(name);
      boolean waits = of.weighting() != Weighting.FAKE_NEGATIVE;
      made.add(
          new JoinTask(
              made.size(),
              number,
              of,
              waits ? of.window().plus(policy.grace()).toMillis() : 0,
              policy.grace().toMillis(),
              task,
              due.cursor(task.passed),
              curve == null ? new DelayCurve() : DelayCurve.of(curve)));
    }
    for (JoinTask task : made) {
      for (String given : policy.givenBy(task.name())) {
        task.givenBy().add(made.get(policy.tasks().indexOf(given)));
      }
    }
    return List.copyOf(made);
  }

  private int number(String task) {
    int number = 0;
    while (!progress.tasks().get(number).name().equals(task)) {
      number++;
    }
    return number;
  }

  /** Position of the last event that was taken; -1 where there was none. The next is above it. */
  public long taken() {
    return progress.position();
  }

  /** Whether labels are missing, by the log, so that no window closes. */
  public boolean frozen() {
    return progress.frozen();
  }

  /**
   * The lowest position in the log at which it may still read a prediction. Where those below that
   * of the last commit are trimmed, and no others, it goes on the same after a crash.
   */
  public long oldestNeeded() {
    return progress.oldestNeeded();
  }

  /**
   * Takes the next event; passes over those of other models. What was {@link #drain drained} must
   * be in the store by then.
   *
   * @param examples gets those that come out
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   * @throws IllegalStateException if what it holds is damaged
   */
  public void take(Logged event, Consumer<Example> examples) {
    if (!event.model().equals(model)) {
      return;
    }
    if (event.position() <= progress.position() || event.atMs() < progress.atMs()) {
      throw new IllegalArgumentException(
          "event %d at %d ms comes after event %d at %d ms, must be later"
              .formatted(event.position(), event.atMs(), progress.position(), progress.atMs()));
    }
    progress.move(
        event.position(), event.atMs(), policy.exposure().toMillis(), policy.grace().toMillis());
    windows.pass(event, examples);
    switch (event.event()) {
      case Event.Exposed exposed -> expose(event, exposed, examples);
      case Event.Labelled labelled -> label(event, labelled, examples);
      case Event.Frozen frozen -> progress.freeze(frozen.on(), policy.grace().toMillis());
      case Event.Scored _, Event.Boundary _, Event.Ordered _, Event.Sequenced _ -> {
        // Time has passed.
      }
    }
    measure();
  }

  private void measure() {
    meters.watermark(progress.atMs());
    meters.frozen(progress.frozen());
    for (JoinTask task : tasks) {
      meters.waiting(task.name(), task.waiting());
      meters.within(task.name(), task.within());
    }
  }

  private void expose(Logged event, Event.Exposed exposed, Consumer<Example> examples) {
    long at = exposed.scored();
    Followed known = followed.get(at);
    Followed prediction = known == null ? new Followed() : known;
    SequencedSet<Integer> fresh = new LinkedHashSet<>();
    for (int position : exposed.positions()) {
      if (prediction.candidate(position) == null) {
        boolean _ = fresh.add(position);
      }
    }
    ScoredRequest request = fresh.isEmpty() || !joinable(at, event) ? null : scored.at(at);
    int candidates = request == null ? 0 : request.candidates().rows();
    List<Integer> joined = fresh.stream().filter(p -> p >= 0 && p < candidates).toList();
    meters.exposures(ExposureOutcome.DUPLICATE, exposed.positions().length - fresh.size());
    meters.exposures(ExposureOutcome.UNJOINABLE, fresh.size() - joined.size());
    meters.exposures(ExposureOutcome.JOINED, joined.size());
    if (request == null || joined.isEmpty()) {
      return;
    }
    ShownRows rows = shown.get(at);
    shown.put(at, (rows == null ? ShownRows.none(request) : rows).with(request, joined));
    for (JoinTask task : tasks) {
      if (task.policy().given().isEmpty()) {
        double expected = expected(request, joined, task.index());
        meters.sources().exposed(exposed.source(), task.name(), expected);
      }
    }
    for (int position : joined) {
      Candidate candidate = new Candidate(position, event.position());
      prediction.expose(candidate);
      Subject subject = new Subject(at, prediction, candidate, event, examples);
      for (JoinTask task : tasks) {
        if (task.policy().given().isEmpty()) {
          verdicts.open(subject, task, exposed.timeMs());
        }
      }
    }
    followed.put(at, prediction);
    due.add(new Due(event.position(), event.atMs(), at, joined));
  }

  /** Labels of a task that the answer expects of these candidates. */
  private static double expected(ScoredRequest request, List<Integer> positions, int task) {
    double sum = 0;
    for (int position : positions) {
      int at = position * request.tasks() + task;
      sum += task < request.tasks() ? (double) request.probabilities()[at] : 0;
    }
    return sum;
  }

  /** What the answer said of a candidate that was shown; NaN where nothing is known of that. */
  private float probability(long prediction, int position, int task) {
    ShownRows rows = shown.get(prediction);
    float[] known = rows == null ? new float[0] : rows.at(prediction, position).probabilities();
    return task < known.length ? known[task] : Float.NaN;
  }

  /** Whether candidates of a prediction may be exposed at an event. */
  private boolean joinable(long prediction, Logged event) {
    return prediction >= progress.oldestNeeded() && prediction < event.position();
  }

  private void label(Logged event, Event.Labelled labelled, Consumer<Example> examples) {
    long at = labelled.scored();
    int position = labelled.position();
    int index = policy.tasks().indexOf(labelled.task());
    Followed known = followed.get(at);
    Candidate candidate = known == null ? null : known.candidate(position);
    boolean canBe = candidate != null || (position >= 0 && joinable(at, event));
    if (index < 0 || !canBe) {
      meters.label(LabelOutcome.ORPHAN);
      return;
    }
    Followed prediction = known == null ? new Followed() : known;
    JoinTask task = tasks.get(index);
    Slot slot = candidate == null ? null : candidate.slot(task.number());
    if ((slot != null && slot.is(Phase.LABELLED))
        || prediction.waiting(position, task.number()) != null) {
      meters.label(LabelOutcome.DUPLICATE);
      return;
    }
    Waiting label =
        new Waiting(
            event.position(),
            event.atMs(),
            position,
            task.number(),
            labelled.value(),
            labelled.weight(),
            labelled.timeMs());
    if (labelled.value() > 0) {
      float probability = candidate == null ? Float.NaN : probability(at, position, index);
      meters.sources().labelled(labelled.source(), labelled.task(), labelled.value(), probability);
    }
    if (candidate != null && slot != null) {
      verdicts.settle(new Subject(at, prediction, candidate, event, examples), task, label);
    } else {
      boolean _ = prediction.waiting().add(label);
    }
    followed.put(at, prediction);
    // With nothing opened, who was exposed goes with what is in the queue already.
    if (candidate == null || candidate.heldBy() == event.position()) {
      due.add(new Due(event.position(), event.atMs(), at, List.of(position)));
    }
  }

  /** What has changed since this was last asked, to be written with what was learned. */
  public List<StateChange> drain() {
    List<StateChange> changes = new ArrayList<>();
    followed.drain(changes);
    shown.drain(changes);
    due.drain(progress.forgotten, changes);
    changes.add(new StateChange.Put(StateKind.CURSOR, FIRST_CURSOR, progress.bytes()));
    for (JoinTask task : tasks) {
      if (task.curveChanged()) {
        changes.add(
            new StateChange.Put(StateKind.CURSOR, CURVES + task.number(), task.curve().bytes()));
      }
    }
    return changes;
  }
}
