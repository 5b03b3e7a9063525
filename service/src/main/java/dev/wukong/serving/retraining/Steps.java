package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.serving.gating.Gate;
import dev.wukong.serving.joining.Example;
import dev.wukong.training.NotFiniteException;
import dev.wukong.training.OnlineSession;
import dev.wukong.training.TrainSession;
import java.util.List;

/**
 * The way of examples into the model: by minibatches, each of which is scored by the healthy state
 * and by the one that learns before that learns from it, so that the gate sees how good either is
 * on what it does not know. The training thread's.
 */
final class Steps {
  private final OnlineSession session;
  private final Healthy healthy;
  private final Gate gate;
  private final Minibatch minibatch;
  private final LearnerMeters meters;
  private final long encoding;
  private final double rate;
  private long examples;
  private long made;

  /**
   * None yet.
   *
   * @param session learns
   * @param encoding of features, by which what was scored otherwise is known
   * @param rate multiplies the bundle's learning rates
   */
  Steps(
      OnlineSession session,
      Healthy healthy,
      Gate gate,
      Minibatch minibatch,
      LearnerMeters meters,
      long encoding,
      double rate) {
    this.session = session;
    this.healthy = healthy;
    this.gate = gate;
    this.minibatch = minibatch;
    this.meters = meters;
    this.encoding = encoding;
    this.rate = rate;
  }

  /**
   * Takes an example, and makes a step where the minibatch is full with it.
   *
   * @param served number of the dense weights that serve
   */
  void add(Example example, long served) {
    if (example.shown().encoding() != encoding) {
      meters.foreign();
      return;
    }
    if (!example.shown().finite()) { // One would cost the whole minibatch.
      meters.refused(1, "a feature is no finite number");
      return;
    }
    minibatch.add(example);
    if (minibatch.full()) {
      step(served);
    }
  }

  /** Makes a step of less than a minibatch where its first example has waited for so long. */
  boolean stepIfWaiting(long nowMs, long lingerMs, long served) {
    boolean waits = minibatch.waitsSince(nowMs) >= lingerMs;
    if (waits) {
      step(served);
    }
    return waits;
  }

  private void step(long served) {
    EncodedExamples rows = minibatch.rows();
    try {
      float[] sure = healthy.score(rows);
      if (gate.learns()) {
        if (minibatch.wantsProbabilities()) {
          minibatch.weigh(session.score(rows));
        }
        TrainSession.Step step = session.step(rows, rate, minibatch.share());
        healthy.add(minibatch.examples(), sure, step.probabilities(), served);
        meters.learned(minibatch.examples(), step.probabilities());
        made++;
      } else {
        healthy.add(minibatch.examples(), sure, sure, served);
        meters.quarantined(minibatch.examples().size());
      }
    } catch (NotFiniteException e) {
      meters.refused(rows.rows(), String.valueOf(e.getMessage()));
    }
    examples += rows.rows();
    minibatch.clear();
  }

  /** Examples that were taken since the last commit, those that were refused included. */
  long examples() {
    return examples;
  }

  /** Steps since the last commit. */
  long made() {
    return made;
  }

  /** Those that wait for the next step, in their order. */
  List<Example> waiting() {
    return minibatch.examples();
  }

  /** Those that wait are nothing more: they came after the state that all is brought back to. */
  void forget() {
    minibatch.clear();
    meters.forgotten();
  }

  /** There was a commit. */
  void committed() {
    examples = 0;
    made = 0;
  }
}
