package dev.wukong.serving.retraining;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.serving.gating.Decision;
import java.time.Duration;

/**
 * What the gate decides, where nothing is wrong: what it takes back it says at once. One thread.
 */
final class DecisionsSeen implements LoopInTime.Hand {
  private final BenchmarkContext context;
  private long firstMs;
  private int promoted;
  private int takenBack;
  private String last = "never";

  DecisionsSeen(BenchmarkContext context) {
    this.context = context;
  }

  @Override
  public void committed(long nowMs, Decision decision, long nanos) {
    firstMs = firstMs == 0 ? nowMs : firstMs;
    promoted += decision instanceof Decision.Promote ? 1 : 0;
    if (decision instanceof Decision.TakeBack(String reason)) {
      takenBack++;
      last = "after %s: %s".formatted(Duration.ofMillis(nowMs - firstMs), reason);
      context.progress().println("taken back " + last);
      context.progress().flush();
    }
  }

  /** Healthy states. */
  int promoted() {
    return promoted;
  }

  int takenBack() {
    return takenBack;
  }

  /** When and why it last took something back. */
  String last() {
    return last;
  }
}
