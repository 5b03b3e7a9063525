package dev.wukong.serving.events;

import dev.wukong.serving.testing.ForwardingEventLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** A log whose writes wait until they are let through, or fail; it remembers each. Any thread. */
final class GatedLog extends ForwardingEventLog {
  private final Semaphore gate = new Semaphore(0);
  private final Semaphore entered = new Semaphore(0);
  private final List<Integer> writes = new ArrayList<>();
  private volatile @Nullable String failure;
  private volatile boolean unreadable;

  GatedLog() {
    super(new HeapEventLog());
  }

  /** Lets all writes through from now on. */
  void open() {
    gate.release(Integer.MAX_VALUE / 2);
  }

  /** Waits until a write that has not been waited for has begun. */
  void awaitWrite() throws InterruptedException {
    entered.acquire();
  }

  /** Has all writes fail that are not through yet. */
  void fail(String reason) {
    failure = reason;
    open();
  }

  /** Has all questions for predictions fail from now on. */
  void loseIndex() {
    unreadable = true;
  }

  /** How many events each write had. */
  synchronized List<Integer> writes() {
    return List.copyOf(writes);
  }

  @Override
  public void append(long atMs, List<EncodedEvent> events) {
    entered.release();
    gate.acquireUninterruptibly();
    String reason = failure;
    if (reason != null) {
      throw new EventLogException(reason, null);
    }
    synchronized (this) {
      writes.add(events.size());
    }
    super.append(atMs, events);
  }

  @Override
  public Optional<Place> find(PredictionId id) {
    if (unreadable) {
      throw new EventLogException("no index", null);
    }
    return super.find(id);
  }
}
