package dev.wukong.serving.events;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long events are kept: the old ones go, and beyond a share of the disk the oldest, but none
 * that training still needs. The thread that appends.
 */
public final class EventRetention {
  private static final Logger logger = LoggerFactory.getLogger(EventRetention.class);

  /** Predictions are made at most so long before they are logged. */
  private static final Duration SLACK = Duration.ofMinutes(10);

  /** Between two looks so much of the quota is written at most. */
  private static final long PARTS = 64;

  private final Duration age;
  private final long quotaBytes;
  private final LongSupplier needed;
  private final LongSupplier clock;

  /**
   * Trims nothing yet.
   *
   * @param age of events that may go
   * @param quotaBytes of the log on disk, beyond which younger ones go too
   * @param needed the lowest position that training still needs; asked on the thread that appends
   * @param clock milliseconds since 1970-01-01 UTC
   */
  public EventRetention(Duration age, long quotaBytes, LongSupplier needed, LongSupplier clock) {
    this.age = age;
    this.quotaBytes = quotaBytes;
    this.needed = needed;
    this.clock = clock;
  }

  /** After how many bytes there should be another look. */
  long stepBytes() {
    return quotaBytes / PARTS;
  }

  /**
   * Trims {@code log}.
   *
   * @return why nothing more should be appended: it has more than its quota, and all is needed
   * @throws EventLogException where it cannot be read or trimmed
   */
  Optional<String> sweep(EventLog log) {
    long begin = log.begin();
    long end = log.end();
    long free = Math.clamp(needed.getAsLong(), begin, end);
    long target = Math.min(free, Math.max(firstYoung(log), firstWithin(log)));
    if (target > begin) {
      trim(log, target);
    }
    long bytes = log.bytes();
    return bytes > quotaBytes && target == free && free < end
        ? Optional.of(
            ("the log is full: it has %d bytes of %d, and training needs all from event %d on: what"
                    + " it has not come to, and predictions that may still be exposed"
                    + " (wukong.online.exposure)")
                .formatted(bytes, quotaBytes, free))
        : Optional.empty();
  }

  /** The first event that is not too old. */
  private long firstYoung(EventLog log) {
    long oldest = clock.getAsLong() - age.toMillis();
    long low = log.begin();
    long high = log.end();
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (timeOf(log, middle) < oldest) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** The first event of as large a part as the quota has room for, if all are of a size. */
  private long firstWithin(EventLog log) {
    long begin = log.begin();
    long bytes = log.bytes();
    if (bytes <= quotaBytes) {
      return begin;
    }
    double excess = (double) (bytes - quotaBytes) / (double) bytes;
    return begin + (long) Math.ceil((double) (log.end() - begin) * excess);
  }

  /** An event that cannot be read is of any time: it must not keep others from going. */
  private static long timeOf(EventLog log, long position) {
    try {
      return log.read(position, 1).getFirst().atMs();
    } catch (EventLogException e) {
      logger.warn("cannot tell the time of an event", e);
      return Long.MAX_VALUE;
    }
  }

  private static void trim(EventLog log, long target) {
    long at = target < log.end() ? timeOf(log, target) : log.lastMs();
    // A prediction is made before it is logged. Those whose event is gone are not found anyway.
    log.trim(target, Math.max(0, Math.min(at, log.lastMs()) - SLACK.toMillis()));
  }
}
