package dev.wukong.serving.retraining;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Who waits until orders in the log are done, that is, committed. Any thread. */
final class PendingOrders {
  /** An order's position in the log, and who waits for it. */
  private record Pending(long position, CompletableFuture<Void> done) {}

  /** Guarded by this. */
  private final List<Pending> pending = new ArrayList<>();

  /** All below this is committed. Guarded by this. */
  private long committed;

  /** Completes once the order at {@code position} is committed, or at once where it is. */
  synchronized CompletableFuture<Void> await(long position) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    if (position < committed) {
      boolean _ = done.complete(null);
    } else {
      pending.add(new Pending(position, done));
    }
    return done;
  }

  /** All below {@code next} is committed. */
  synchronized void done(long next) {
    committed = next;
    pending.removeIf(of -> of.position() < next && of.done().complete(null));
  }

  /** None of those that wait will be done. */
  synchronized void refuse(Exception why) {
    pending.forEach(of -> of.done().completeExceptionally(why));
    pending.clear();
  }
}
