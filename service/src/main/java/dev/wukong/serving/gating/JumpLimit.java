package dev.wukong.serving.gating;

import static java.util.Locale.ROOT;

import dev.wukong.serving.gating.Gate.Change;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * By how much golden rows may move in a commit: a learning rate that is wrong by an order moves
 * them more than any before. One thread.
 */
final class JumpLimit {
  /** Of commits that have steps: from fewer nothing can be said. */
  private static final int KNOWN = 20;

  private static final double NEWEST = 0.05;

  /** So many times the usual is too much, and ... */
  private static final double TIMES = 10;

  /** ... so much, in logits, never is. */
  private static final double SMALL = 0.25;

  static final int BYTES = 3 * Double.BYTES;

  private final double most;

  /** Mean square over commits of the logits that one moves, later ones counting more, ... */
  private double squares;

  /** ... and mean of their steps. */
  private double steps;

  private double commits;

  JumpLimit(double most) {
    this.most = most;
  }

  /** Why a change is too much; what is not is remembered. */
  Optional<String> exceeded(Change change) {
    if (change.steps() == 0) {
      return Optional.empty();
    }
    if (commits >= KNOWN) {
      // Steps move to and fro: few move less than many, but not by as much as they are fewer.
      double longer = Math.max(1, (double) change.steps() / steps);
      double limit = Math.max(SMALL, TIMES * Math.sqrt(squares) * longer);
      if (change.moved() > limit) {
        return Optional.of(
            String.format(
                ROOT,
                "golden rows have moved by %.3f logits in %d steps, at most %.3f is usual",
                change.moved(),
                change.steps(),
                limit));
      }
      if (change.movedMost() > most) {
        return Optional.of(
            String.format(
                ROOT,
                "a golden row has moved by %.3f logits, allowed is %.3f",
                change.movedMost(),
                most));
      }
    }
    commits++;
    double part = Math.max(NEWEST, 1 / commits);
    squares += (change.moved() * change.moved() - squares) * part;
    steps += ((double) change.steps() - steps) * part;
    return Optional.empty();
  }

  void write(ByteBuffer to) {
    to.putDouble(squares).putDouble(steps).putDouble(commits);
  }

  void read(ByteBuffer from) {
    squares = from.getDouble();
    steps = from.getDouble();
    commits = from.getDouble();
  }
}
