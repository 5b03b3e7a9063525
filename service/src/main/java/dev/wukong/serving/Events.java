package dev.wukong.serving;

import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventLogException;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.events.QueueRoom;
import dev.wukong.serving.events.RocksEventLog;
import dev.wukong.serving.joining.LogPlace;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who writes the log of events, and what of it is kept. Any thread. */
final class Events implements AutoCloseable {
  private static final Logger logger = LoggerFactory.getLogger(Events.class);

  /** Some seconds of a busy server: what more comes while the disk stands still is not logged. */
  private static final QueueRoom ROOM = new QueueRoom(1 << 16, 128L << 20);

  private final EventWriter writer;

  /**
   * Writes {@code log}, which stays its owner's to close, after this.
   *
   * @param clock milliseconds since 1970-01-01 UTC
   */
  Events(EventLog log, EventRetention retention, LongSupplier clock, MeterRegistry registry) {
    this.writer = new EventWriter(log, retention, ROOM, clock, registry);
  }

  /** What of the log is kept: nothing goes that is at {@code needed} or above. */
  static EventRetention retention(
      OnlineProperties properties, LongSupplier needed, LongSupplier clock) {
    return new EventRetention(
        properties.eventsKeep(), properties.eventsQuota().toBytes(), needed, clock);
  }

  /**
   * Opens the log.
   *
   * @throws SettingException where its folder cannot be used
   */
  static EventLog open(OnlineProperties properties) {
    Path folder = properties.eventsDir().ownersAlone();
    try {
      return RocksEventLog.open(folder);
    } catch (EventLogException e) {
      throw new SettingException(
          ("wukong.online.events-dir is '%s', allowed is a folder that this process may write and"
                  + " no other process uses: %s")
              .formatted(folder, e.getMessage()),
          e);
    }
  }

  /**
   * Has a new log begin where the model has come to: what it has learned knows places in the log
   * that there was, and the same place must not be that of something else.
   *
   * @param place up to where the model has learned
   */
  static void beginAfter(EventLog log, OnlineProperties properties, LogPlace place) {
    long learned = place.next();
    if (log.end() == 0 && learned > 0) {
      log.beginAt(learned);
      logger.warn(
          "the log of events in wukong.online.events-dir '{}' is new, and model '{}' has learned"
              + " from another one, up to position {}: this one goes on from there. What was logged"
              + " and not learned is lost, unless that one is brought back",
          properties.eventsDir().path(),
          properties.model(),
          learned);
    }
  }

  EventWriter writer() {
    return writer;
  }

  @Override
  public void close() {
    writer.close();
  }
}
