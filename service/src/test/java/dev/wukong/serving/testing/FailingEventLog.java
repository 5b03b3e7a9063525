package dev.wukong.serving.testing;

import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventLogException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A log whose disk is slow, or fails for good once a test says so. Any thread. */
public final class FailingEventLog extends ForwardingEventLog {
  private volatile @Nullable String failure;
  private volatile boolean written;

  /** Runs before each write. */
  public volatile Runnable onWrite = () -> {};

  /** Writes that were tried although one before had failed, it included. */
  public final AtomicInteger failed = new AtomicInteger();

  /** Over {@code log}, which stays the caller's to close. */
  public FailingEventLog(EventLog log) {
    super(log);
  }

  /**
   * Has the next write fail, and all after it.
   *
   * @param there whether what the next one writes is on stable storage all the same
   */
  public void fail(String reason, boolean there) {
    written = there;
    failure = reason;
  }

  @Override
  public synchronized void append(long atMs, List<EncodedEvent> events) {
    onWrite.run();
    String reason = failure;
    if (reason == null || (written && failed.get() == 0)) {
      super.append(atMs, events);
    }
    if (reason != null) {
      failed.incrementAndGet();
      throw new EventLogException(reason, null);
    }
  }

  @Override
  public void close() {}
}
