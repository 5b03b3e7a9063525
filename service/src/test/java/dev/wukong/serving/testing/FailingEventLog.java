package dev.wukong.serving.testing;

import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventLogException;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.ScoredRequest;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A log whose disk is slow, or fails for good once a test says so. Any thread. */
public final class FailingEventLog implements EventLog {
  private final EventLog log;
  private volatile @Nullable String failure;
  private volatile boolean written;

  /** Runs before each write. */
  public volatile Runnable onWrite = () -> {};

  /** Writes that were tried although one before had failed, it included. */
  public final AtomicInteger failed = new AtomicInteger();

  /** Over {@code log}, which stays the caller's to close. */
  public FailingEventLog(EventLog log) {
    this.log = log;
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
      log.append(atMs, events);
    }
    if (reason != null) {
      failed.incrementAndGet();
      throw new EventLogException(reason, null);
    }
  }

  @Override
  public long begin() {
    return log.begin();
  }

  @Override
  public long end() {
    return log.end();
  }

  @Override
  public long lastMs() {
    return log.lastMs();
  }

  @Override
  public List<Logged> read(long from, int most) {
    return log.read(from, most);
  }

  @Override
  public @Nullable ScoredRequest scored(long position) {
    return log.scored(position);
  }

  @Override
  public Optional<Place> find(PredictionId id) {
    return log.find(id);
  }

  @Override
  public void trim(long position, long madeMs) {
    log.trim(position, madeMs);
  }

  @Override
  public long bytes() {
    return log.bytes();
  }

  @Override
  public void close() {}
}
