package dev.wukong.serving.testing;

import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.ScoredRequest;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A log that does as another does; for those that do some of it otherwise. */
public class ForwardingEventLog implements EventLog {
  private final EventLog log;

  /** Over {@code log}. */
  protected ForwardingEventLog(EventLog log) {
    this.log = log;
  }

  @Override
  public void beginAt(long position) {
    log.beginAt(position);
  }

  @Override
  public void rewind(long position, long atMs) {
    log.rewind(position, atMs);
  }

  @Override
  public void append(long atMs, List<EncodedEvent> events) {
    log.append(atMs, events);
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
  public void close() {
    log.close();
  }
}
