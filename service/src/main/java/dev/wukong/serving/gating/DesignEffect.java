package dev.wukong.serving.gating;

import java.nio.ByteBuffer;

/**
 * By how much more a sum over examples in a row differs than if these were independent, as far as
 * examples have shown that were as they should be. One thread.
 */
final class DesignEffect {
  /** Of so many examples, half counts. */
  private static final double HALF = 1 << 20;

  /** So many times as much variance as is known is no longer the same thing. */
  private static final double MOST = 2;

  static final int BYTES = 3 * BlockSums.BYTES;

  private final BlockSums known = new BlockSums();

  /** What came before the last time: what is wrong is not always seen at once. */
  private final BlockSums last = new BlockSums();

  private final BlockSums now = new BlockSums();

  void add(double value, double weight) {
    now.add(value, weight);
  }

  /** Until now nothing was wrong: what came before the last time was as it should be. */
  void keep() {
    if (last.examples() > 0) {
      known.fade(Math.pow(0.5, last.examples() / HALF));
      known.take(last, MOST);
    }
    last.goOnAfter(known);
    last.take(now, MOST);
    now.goOnAfter(last);
  }

  /** What came says nothing of what will come. */
  void forget() {
    known.goOnAfter(known);
    drop();
  }

  /** Something is wrong. */
  void drop() {
    last.goOnAfter(known);
    now.goOnAfter(known);
  }

  /** Of a standard error of a sum over so many; at least 1. */
  double ofError(double examples) {
    double effect = known.effect(examples);
    if (known.examples() < last.examples()) {
      effect = Math.max(effect, last.effect(examples));
    } else if (known.examples() == 0) {
      effect = now.effect(examples);
    }
    return Math.sqrt(effect);
  }

  void write(ByteBuffer to) {
    known.write(to);
    last.write(to);
    now.write(to);
  }

  void read(ByteBuffer from) {
    known.read(from);
    last.read(from);
    now.read(from);
  }
}
