package dev.wukong.serving.gating;

import java.nio.ByteBuffer;
import java.util.List;

/** How alike examples of a task are that come in a row, in what is asked of them. One thread. */
final class Clumping {
  static final int BYTES = 3 * DesignEffect.BYTES;

  private final DesignEffect labels = new DesignEffect();
  private final DesignEffect losses = new DesignEffect();
  private final DesignEffect differences = new DesignEffect();

  private List<DesignEffect> all() {
    return List.of(labels, losses, differences);
  }

  void add(Judged example) {
    double w = (double) example.weight();
    double y = (double) example.label();
    double loss = ScorerTally.loss(example.healthy(), y);
    labels.add(y - ScorerTally.sure(example.healthy()), w);
    losses.add(loss - ScorerTally.entropy(example.healthy()), w);
    differences.add(ScorerTally.loss(example.candidate(), y) - loss, w);
  }

  /** Of the number of positive labels, by what the healthy state expects. */
  double ofLabels(double examples) {
    return labels.ofError(examples);
  }

  /** Of a scorer's loss, less that which it expects. */
  double ofLosses(double examples) {
    return losses.ofError(examples);
  }

  /** Of the candidate's loss less the healthy state's. */
  double ofDifferences(double examples) {
    return differences.ofError(examples);
  }

  /** Until now nothing was wrong: what came before the last time was as it should be. */
  void keep() {
    all().forEach(DesignEffect::keep);
  }

  /** What came says nothing of what will come. */
  void forget() {
    all().forEach(DesignEffect::forget);
  }

  /** Something is wrong. */
  void drop() {
    all().forEach(DesignEffect::drop);
  }

  void write(ByteBuffer to) {
    all().forEach(of -> of.write(to));
  }

  void read(ByteBuffer from) {
    all().forEach(of -> of.read(from));
  }
}
