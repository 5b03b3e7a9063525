package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.EncodedExamples;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.joining.Example;
import dev.wukong.serving.joining.Join;
import dev.wukong.serving.joining.JoinMeters;
import dev.wukong.serving.joining.ScoredEvents;
import dev.wukong.serving.lifecycle.LifecycleMeters;
import dev.wukong.serving.lifecycle.RowAdmission;
import dev.wukong.serving.lifecycle.RowExpiry;
import dev.wukong.serving.lifecycle.RowPolicy;
import dev.wukong.training.NotFiniteException;
import dev.wukong.training.OnlineSession;
import dev.wukong.training.TrainSession;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;

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
  private final OnlineSession session;
  private final Minibatch minibatch;
  private final EncodedExamples golden;
  private final LearnedCommit commits;
  private final LearnerMeters meters;
  private final long encoding;
  private final double rate;
  private LearnedMark mark;

  private long next;
  private long committed;
  private long nowMs;
  private long events;
  private long examples;
  private long steps;
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
    RowExpiry expiry =
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
    StoredRows rows = new StoredRows(store, view, bundle, this::stateWidth, admission, expiry);
    this.session =
        OnlineSession.of(
            bundle,
            new OnlineSession.Options(options.batch(), options.threads(), options.precision()),
            rows);
    boolean ready = false;
    try {
      LearnedMark last = LearnedMark.read(store, view).orElse(null);
      if (last != null) {
        Map<String, float[]> dense = DenseState.read(store, view);
        if (!dense.isEmpty()) { // Else there were commits, but nothing was learned yet.
          session.restore(dense);
        }
        session.restoreSteps(last.steps());
      }
      this.mark =
          last == null
              ? LearnedMark.none(session.steps(), bundle.manifest().golden().probabilities())
              : last;
      this.golden = GoldenExamples.of(bundle.manifest().golden(), bundle.encoder());
      this.minibatch = new Minibatch(bundle.encoder(), options.batch(), options.join().negatives());
      this.commits =
          new LearnedCommit(
              store,
              view,
              bundle,
              session,
              admission,
              expiry,
              join,
              minibatch,
              GoldenExamples.keys(bundle.layout(), golden));
      this.next = join.taken() + 1;
      this.committed = next;
      this.rate =
          options.rate() > 0
              ? options.rate()
              : OnlineSession.suitingRate(bundle.manifest(), options.batch());
      CarriedExamples.read(store, view).forEach(this::add);
      ready = true;
    } finally {
      if (!ready) {
        session.close();
      }
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
    if (event.event() instanceof Event.Boundary
        && minibatch.waitsSince(nowMs) >= options.linger().toMillis()) {
      changed = true;
      step();
    }
    boolean due =
        switch (event.event()) {
          case Event.Boundary _ -> changed;
          case Event.Scored _ -> false;
          case Event.Exposed _, Event.Labelled _, Event.Frozen _, Event.Attached _ -> {
            changed = true;
            yield false;
          }
        };
    return due || examples >= MOST_EXAMPLES || events >= MOST_EVENTS;
  }

  private void learn(Example example) {
    changed = true;
    add(example);
  }

  private void add(Example example) {
    if (example.shown().encoding() != encoding) {
      meters.foreign();
      return;
    }
    minibatch.add(example);
    if (minibatch.full()) {
      step();
    }
  }

  private void step() {
    EncodedExamples rows = minibatch.rows();
    double share = (double) rows.rows() / options.batch();
    try {
      if (minibatch.wantsProbabilities()) {
        minibatch.weigh(session.score(rows));
      }
      TrainSession.Step step = session.step(rows, rate, share);
      meters.learned(minibatch.examples(), step.probabilities());
      steps++;
    } catch (NotFiniteException e) {
      meters.refused(rows.rows(), e);
    }
    examples += rows.rows();
    minibatch.clear();
  }

  /**
   * Everything since the last commit as one change.
   *
   * @param epoch who trains
   * @throws NotFiniteException where a weight is no finite number
   * @throws UnfitException where the probability of a golden row is none
   */
  ModelCommit commit(long epoch) {
    turn();
    boolean learned = steps > 0;
    Map<String, float[]> dense = learned ? session.dense() : Map.of();
    byte[] graph = learned ? session.predictGraph(dense) : null;
    mark =
        new LearnedMark(
            epoch,
            mark.dense() + (learned ? 1 : 0),
            session.steps(),
            mark.examples() + examples,
            mark.turnedMs(),
            learned ? goldenProbabilities() : mark.golden());
    ModelCommit commit = commits.make(mark, nowMs, dense, graph);
    if (session.heldRows() > MOST_ROWS) {
      session.forgetRows();
    }
    committed = next;
    events = 0;
    examples = 0;
    steps = 0;
    changed = false;
    return commit;
  }

  private float[] goldenProbabilities() {
    float[] probabilities = session.score(golden);
    for (float probability : probabilities) {
      if (!Float.isFinite(probability)) {
        throw new UnfitException("the probability of a golden row is " + probability);
      }
    }
    return probabilities;
  }

  /** Begins a period of admission where it is time to, by the log's clock. */
  private void turn() {
    long turned = mark.turnedMs();
    if (turned == 0 || nowMs - turned >= options.period().toMillis()) {
      if (turned != 0) {
        admission.turn();
      }
      mark =
          new LearnedMark(
              mark.epoch(), mark.dense(), mark.steps(), mark.examples(), nowMs, mark.golden());
    }
  }

  @Override
  public void close() {
    session.close();
  }
}
