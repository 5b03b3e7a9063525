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
  private static final double SMALL = 0.1;

  private final double most;

  /** Mean over commits of the logits that a step moves, later ones counting more. */
  private double usual;

  private double commits;

  JumpLimit(double most) {
    this.most = most;
  }

  /** Why a change is too much; what is not is remembered. */
  Optional<String> exceeded(Change change) {
    if (change.steps() == 0) {
      return Optional.empty();
    }
    double each = change.moved() / (double) change.steps();
    if (commits >= KNOWN) {
      double limit = Math.max(SMALL, TIMES * usual * (double) change.steps());
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
    usual += (each - usual) * Math.max(NEWEST, 1 / commits);
    return Optional.empty();
  }

  void write(ByteBuffer to) {
    to.putDouble(usual).putDouble(commits);
  }

  void read(ByteBuffer from) {
    usual = from.getDouble();
    commits = from.getDouble();
  }
}
