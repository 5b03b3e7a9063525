package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.ScoredVersion;
import dev.wukong.serving.gating.Decision;
import dev.wukong.serving.gating.Gate;
import dev.wukong.serving.gating.GatePhase;
import dev.wukong.serving.gating.Slices;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.joining.Example;
import dev.wukong.serving.joining.Join;
import dev.wukong.serving.joining.JoinMeters;
import dev.wukong.serving.joining.LogPlace;
import dev.wukong.serving.joining.ScoredEvents;
import dev.wukong.serving.lifecycle.LifecycleMeters;
import dev.wukong.serving.lifecycle.RowAdmission;
import dev.wukong.serving.lifecycle.RowExpiry;
import dev.wukong.serving.lifecycle.RowPolicy;
import dev.wukong.training.ChangedRows;
import dev.wukong.training.OnlineSession;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a bundle's model becomes by the events of the log: a function of these and of the last
 * commit alone, to the bit, so that nothing is lost or learned twice when all after that commit is
 * done again.
 *
 * <p>A commit that is {@link #commit made} must be in the store before the next event is taken;
 * after one that failed another learner has to be made from the store. One thread.
 */
final class Learner implements AutoCloseable {
  /** Examples after which there is a commit, whatever the log says: so much is done again. */
  private static final int MOST_EXAMPLES = 1 << 14;

  /** Events after which there is one although nothing was learned: the log may then forget them. */
  private static final int MOST_EVENTS = 1 << 16;

  /** Rows that are kept in memory after a commit. */
  private static final int MOST_ROWS = 1 << 21;

  private final LearnerOptions options;
  private final Bundle bundle;
  private final RowAdmission admission;
  private final Join join;
  private final StreamProgress streams = new StreamProgress();
  private final OnlineSession session;
  private final EncodedExamples golden;
  private final long[] goldenKeys;
  private final StoredRows rows;
  private final RowExpiry expiry;
  private final Erasures erasures;
  private final Generations generations;
  private final Undo undo;
  private final Gate gate;
  private final Healthy healthy;
  private final SkewMonitor skew;
  private final Steps steps;
  private final LearnedCommit commits;
  private final LearnerMeters meters;
  private final long encoding;

  /** Those that its optimizers had made when the bundle was written. */
  private final long stepsBefore;

  private LearnedMark mark;

  /** Weights of the bundle, until a commit keeps them; else none. */
  private Map<String, float[]> initial;

  /** What operators have decided and no commit has done yet. */
  private Event.@Nullable Ordered order;

  private long next;
  private long committed;
  private long nowMs;
  private long events;
  private boolean changed;

  /**
   * The model of {@code bundle} as the last commit left it; where there was none, as the bundle is.
   *
   * @param bundle stays open as long as this
   * @param view of the bundle
   * @param scored finds predictions in the log
   * @throws IOException where the bundle cannot be trained further
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  Learner(
      StateStore store,
      RowsView view,
      Bundle bundle,
      LearnerOptions options,
      ScoredEvents scored,
      JoinMeters ofJoin,
      LifecycleMeters ofRows,
      LearnerMeters meters)
      throws IOException {
    this.options = options;
    this.bundle = bundle;
    this.meters = meters;
    this.encoding = bundle.manifest().encoding();
    List<RowPolicy> policies = Collections.nCopies(bundle.layout().tables().size(), options.rows());
    this.expiry =
        new RowExpiry(
            store,
            view,
            policies,
            options.mostRows(),
            bundle.manifest().rows(),
            bundle.manifest().created(),
            ofRows);
    this.admission =
        new RowAdmission(store, view, policies, options.counted(), expiry::hasRoom, ofRows);
    this.join = new Join(store, view, options.join(), scored, ofJoin);
    this.erasures =
        new Erasures(store, view, options.join().horizon().plus(options.join().exposure()));
    this.rows =
        new StoredRows(store, view, bundle, this::stateWidth, admission, expiry, erasures::holds);
    this.generations = new Generations(store, view);
    this.undo = new Undo(store, view, generations);
    this.gate =
        new Gate(
            options.gate(),
            options.join().tasks(),
            Slices.of(bundle.layout(), options.gate().sliceBy()));
    OnlineSession.Options how =
        new OnlineSession.Options(
            options.batch(), options.threads(), options.device(), options.precision());
    this.session = OnlineSession.of(bundle, how, rows);
    this.stepsBefore = session.steps();
    Healthy opened = null;
    boolean ready = false;
    try {
      // Before all else, the bundle's own weights are the healthy ones.
      Map<String, float[]> first =
          generations.isEmpty() ? session.dense() : generations.dense(generations.last());
      opened =
          new Healthy(
              OnlineSession.scoring(
                  bundle, how, new HealthyRows(store, view, bundle, generations, this::stateWidth)),
              first,
              gate);
      this.healthy = opened;
      LearnedMark last = LearnedMark.read(store, view).orElse(null);
      if (last != null) {
        Map<String, float[]> dense = DenseState.read(store, view);
        if (!dense.isEmpty()) { // Else there were commits, but nothing was learned yet.
          session.restore(dense);
        }
        session.restoreSteps(last.steps());
        restoreGate(store, view);
      }
      this.mark =
          last == null
              ? LearnedMark.none(session.steps(), bundle.manifest().golden().probabilities())
              : last;
      this.golden = GoldenExamples.of(bundle.manifest().golden(), bundle.encoder());
      this.goldenKeys = GoldenExamples.keys(bundle.layout(), golden);
      this.skew = new SkewMonitor(bundle.encoder(), meters);
      this.steps =
          new Steps(
              session,
              healthy,
              gate,
              new Minibatch(bundle.encoder(), options.batch(), options.join().negatives()),
              meters,
              encoding,
              options.rate() > 0
                  ? options.rate()
                  : OnlineSession.suitingRate(bundle.manifest(), options.batch()));
      this.commits =
          new LearnedCommit(
              store,
              view,
              bundle,
              session,
              admission,
              expiry,
              erasures,
              join,
              streams,
              undo,
              generations,
              gate,
              steps,
              healthy,
              goldenKeys);
      this.next = join.taken() + 1;
      this.committed = next;
      this.initial = generations.isEmpty() ? first : Map.of();
      CarriedExamples.read(store, view).forEach(example -> steps.add(example, mark.served()));
      ready = true;
    } finally {
      if (!ready) {
        session.close();
        if (opened != null) {
          opened.close();
        }
      }
    }
  }

  private void restoreGate(StateStore store, RowsView view) {
    byte[] bytes = store.state(view, StateKind.COMMIT, new long[] {LearnedCommit.GATE}).getFirst();
    if (bytes != null) {
      gate.restore(bytes);
    }
  }

  /** Floats that the optimizer keeps of a row of {@code width}. */
  int stateWidth(int width) {
    return session.rowStateWidth(width);
  }

  /** The bundle that learns. */
  Bundle bundle() {
    return bundle;
  }

  /** The position in the log of the next event that it takes. */
  long next() {
    return next;
  }

  /** The position in the log of the first event that is not in the last commit. */
  long committed() {
    return committed;
  }

  /** The lowest position in the log that it may still read. */
  long oldestNeeded() {
    return Math.min(next, join.oldestNeeded());
  }

  /** What sees that labels are missing, and knows what the log says of that so far. */
  StallBreaker stallBreaker() {
    return new StallBreaker(options.join(), join.frozen());
  }

  /** What has been found of what was learned. */
  Gate gate() {
    return gate;
  }

  /** The healthy states that can be stepped back to, by ascending number. */
  List<Generation> generations() {
    return generations.all();
  }

  /**
   * Whether the last commit is what serves, or no more than the last healthy state: examples may
   * have come since, but none was learned.
   */
  boolean exportable() {
    return gate.visible() || generations.isEmpty() || mark.steps() == generations.last().steps();
  }

  /** Whether the last commit is more than the bundle. */
  boolean hasLearned() {
    return mark.steps() > stepsBefore;
  }

  /** Passes over what comes before {@code place} in the log: it has taken nothing yet. */
  void goOnAfter(LogPlace place) {
    join.goOnAfter(place);
    next = place.next();
    committed = next;
  }

  /** Keys of the rows by which a start is checked, ascending; not changed any more. */
  long[] goldenKeys() {
    return goldenKeys;
  }

  /** How far training had come at the last commit. */
  LearnedMark mark() {
    return mark;
  }

  /**
   * Takes the next event of the log, of any model.
   *
   * @return whether a commit is to be made now
   */
  boolean take(Logged event) {
    next = event.position() + 1;
    nowMs = event.atMs();
    events++;
    join.take(event, this::learn);
    if (event.event() instanceof Event.Boundary) {
      changed |= steps.stepIfWaiting(nowMs, options.linger().toMillis(), mark.served());
    }
    boolean due =
        switch (event.event()) {
          case Event.Boundary _ -> changed;
          case Event.Scored made -> {
            compare(made);
            yield false;
          }
          case Event.Exposed _, Event.Labelled _, Event.Frozen _ -> {
            changed = true;
            yield false;
          }
          case Event.Ordered(Event.Order what, long key) when what == Event.Order.ERASE -> {
            if (erasable(key)) {
              erasures.ask(key, nowMs);
            }
            yield true;
          }
          case Event.Ordered of -> {
            order = of;
            yield true;
          }
          case Event.Sequenced of -> {
            streams.take(next, of);
            yield false;
          }
        };
    boolean many = steps.examples() >= MOST_EXAMPLES || events >= MOST_EVENTS;
    return due || (many && streams.whole(next));
  }

  /** Whether it may go: a start is checked by golden rows, and another version may serve by now. */
  private boolean erasable(long key) {
    return RowKey.table(key) < bundle.layout().tables().size()
        && Arrays.binarySearch(goldenKeys, key) < 0;
  }

  /** What the healthy state has answered, it says again. */
  private void compare(Event.Scored made) {
    ScoredVersion by = made.version();
    long healthyDense =
        mark.visible() && !generations.isEmpty() ? generations.last().dense() : mark.served();
    if (by.bundle() == bundle.manifest().version()
        && by.dense() == healthyDense
        && made.encoding() == encoding
        && skew.due(nowMs)) {
      skew.look(made.request(), healthy, nowMs); // Nothing is trimmed that was just read.
    }
  }

  private void learn(Example example) {
    changed = true;
    steps.add(example, mark.served());
  }

  /**
   * Everything since the last commit as one change; or, where the gate says so, one that takes it
   * and more back.
   *
   * @param epoch who trains
   */
  Made commit(long epoch) {
    turn();
    if (join.frozen()) {
      gate.hold();
    }
    if (!initial.isEmpty()) {
      commits.begin(generation(0), initial);
      initial = Map.of();
    }
    boolean learned = steps.made() > 0;
    Map<String, float[]> dense = learned ? session.dense() : Map.of();
    float[] probabilities = learned ? session.score(golden) : mark.golden();
    long[] erased = erasures.asked();
    List<ChangedRows> changedNow = session.changedRows();
    List<ChangedRows> rowsNow = Erasures.without(changedNow, erased);
    GatePhase before = gate.phase();
    Event.Ordered ordered = order;
    order = null;
    Decision decision =
        decide(ordered, Healthy.change(steps.made(), mark.golden(), probabilities, dense, rowsNow));
    State now = new State(epoch, dense, probabilities, rowsNow, erased, there(erased, changedNow));
    ModelCommit commit =
        switch (decision) {
          case Decision.Keep _ -> ahead(now, LearnedCommit.Visible.NONE, false);
          case Decision.Hide _ -> ahead(now, LearnedCommit.Visible.HEALTHY, false);
          case Decision.Publish _ -> ahead(now, LearnedCommit.Visible.CHANGED, false);
          case Decision.Promote _ ->
              ahead(
                  now,
                  before == GatePhase.OPEN
                      ? LearnedCommit.Visible.CHANGED
                      : LearnedCommit.Visible.ALL,
                  true);
          case Decision.TakeBack _ -> back(epoch, target(ordered), erased);
        };
    int _ = rows.takeFresh();
    if (session.heldRows() > MOST_ROWS) {
      session.forgetRows();
    }
    meters.committed(nowMs);
    committed = next;
    steps.committed();
    events = 0;
    changed = false;
    return new Made(commit, decision, rowsNow, erased);
  }

  /**
   * How many of these rows there are: by the last commit, or among those that have changed since.
   */
  private int there(long[] keys, List<ChangedRows> changed) {
    int there = 0;
    for (long key : keys) {
      boolean now = changed.stream().anyMatch(of -> Arrays.binarySearch(of.keys(), key) >= 0);
      there += now || rows.has(key) ? 1 : 0;
    }
    return there;
  }

  /**
   * A commit that is to be written, and why it is as it is.
   *
   * @param changed rows that training has changed
   * @param erased rows that are no more
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Made(ModelCommit commit, Decision decision, List<ChangedRows> changed, long[] erased) {
    Made {
      changed = List.copyOf(changed);
    }

    /** Whether training has changed anything. */
    boolean learned() {
      return erased.length > 0 || changed.stream().anyMatch(of -> of.keys().length > 0);
    }
  }

  /** The share of requests that a canary is to answer; 0: there is to be none. */
  double tries() {
    // As long as nothing was learned, the healthy state is as good, and its number is the same.
    return join.frozen() || mark.dense() == mark.served() ? 0 : gate.share();
  }

  /**
   * What a canary answers by after the commit {@code made}, which is in the store.
   *
   * @param whole whether by all that differs from the healthy state, else by what has changed now
   */
  ModelCommit candidate(Made made, boolean whole) {
    return commits.candidate(
        mark, made.changed(), made.erased(), whole, session.predictGraph(session.dense()));
  }

  /** What training has made since the last commit. */
  @SuppressWarnings("ArrayRecordComponent") // On its way into a commit.
  private record State(
      long epoch,
      Map<String, float[]> dense,
      float[] golden,
      List<ChangedRows> rows,
      long[] erased,
      int there) {
    boolean learned() {
      return !dense.isEmpty();
    }
  }

  private Decision decide(Event.@Nullable Ordered ordered, Gate.Change change) {
    if (ordered == null) {
      return gate.decide(nowMs, change);
    }
    return switch (ordered.order()) {
      case ACCEPT -> gate.accept(nowMs);
      case STEP_BACK -> gate.takeBack(nowMs);
      case ERASE -> throw new IllegalStateException("what is erased decides about nothing else");
    };
  }

  /** The healthy state that operators want; else, or where it is no more, the last one. */
  private Generation target(Event.@Nullable Ordered ordered) {
    return Optional.ofNullable(ordered)
        .flatMap(of -> generations.of(of.target()))
        .orElseGet(generations::last);
  }

  private ModelCommit ahead(State now, LearnedCommit.Visible visible, boolean promoted) {
    boolean hides = visible == LearnedCommit.Visible.HEALTHY;
    // What serves has a number of its own, though it is as it was.
    long dense = mark.dense() + (now.learned() || hides ? 1 : 0);
    boolean shows =
        switch (visible) {
          case NONE -> false;
          case HEALTHY -> true;
          case CHANGED -> now.learned();
          case ALL -> dense > mark.served();
        };
    Map<String, float[]> all =
        now.learned() || !(shows || promoted) ? now.dense() : session.dense();
    Map<String, float[]> serves = hides ? generations.dense(generations.last()) : all;
    mark =
        new LearnedMark(
            now.epoch(),
            dense,
            session.steps(),
            mark.examples() + steps.examples(),
            mark.turnedMs(),
            shows ? dense : mark.served(),
            gate.visible(),
            now.golden());
    if (promoted) {
      healthy.become(all, undo.touched());
      now.rows().forEach(of -> healthy.forget(of.keys()));
    }
    return commits.make(
        mark,
        now.rows(),
        now.erased(),
        now.there(),
        nowMs,
        now.dense(),
        visible,
        shows ? serves : Map.of(),
        promoted
            ? Optional.of(new NewHealthy(generation(generations.newest() + 1), all))
            : Optional.empty());
  }

  private Generation generation(long number) {
    return new Generation(
        number, nowMs, next, mark.dense(), mark.steps(), mark.examples(), 0, mark.golden());
  }

  /** All since {@code to} is nothing more, what was not committed included. */
  private ModelCommit back(long epoch, Generation to, long[] erased) {
    boolean older = to.number() < generations.newest();
    boolean shows = older || mark.visible();
    long[] keys = older ? undo.changedSince(to.number()) : undo.touched();
    Map<String, float[]> dense = generations.dense(to);
    session.restore(dense);
    session.restoreSteps(to.steps());
    session.forgetRows();
    expiry.withdrawn(rows.takeFresh());
    mark =
        new LearnedMark(
            epoch,
            mark.dense() + 1,
            to.steps(),
            to.examples(),
            mark.turnedMs(),
            shows ? mark.dense() + 1 : mark.served(),
            false,
            to.golden());
    healthy.become(dense, older ? keys : new long[0]);
    steps.forget();
    return commits.back(
        mark, to, keys, erased, there(erased, List.of()), nowMs, shows, shows ? dense : Map.of());
  }

  /** Begins a period of admission where it is time to, by the log's clock. */
  private void turn() {
    long turned = mark.turnedMs();
    if (turned == 0 || nowMs - turned >= options.period().toMillis()) {
      if (turned != 0) {
        admission.turn();
      }
      mark = mark.turned(nowMs);
    }
  }

  @Override
  public void close() {
    healthy.close();
    session.close();
  }
}
