package dev.wukong.serving.events;

import dev.wukong.serving.events.FeedbackItem.Outcome;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A process that logs predictions and a label of each, and says which labels are durable, until it
 * is killed or the log fails. Arguments: the log's folder, and whether to say it before it is so.
 */
final class LogWorker {
  static final String OPEN = "open";
  static final String DURABLE = "durable";
  static final String FAILED = "failed";

  /** Small, so that files are written and removed all the time. */
  static final long FILE_BYTES = 1 << 18;

  static final int CANDIDATES = 50;
  private static final long MADE = 1_700_000_000_000L;
  private static final Duration LONG = Duration.ofMinutes(1);

  /** A log that has failed has no new end. */
  private static final Duration WHILE = Duration.ofMillis(10);

  private LogWorker() {}

  /** The prediction of this number. */
  static PredictionId id(long number) {
    return SampleEvents.id(MADE + number, number);
  }

  public static void main(String[] args) throws InterruptedException {
    boolean early = Boolean.parseBoolean(args[1]);
    try (EventLog log = RocksEventLog.open(Path.of(args[0]), FILE_BYTES);
        EventWriter writer =
            new EventWriter(
                log,
                new EventRetention(Duration.ofDays(1), Long.MAX_VALUE, () -> 0, () -> 0),
                new QueueRoom(64, 1 << 20),
                () -> 0,
                new SimpleMeterRegistry())) {
      say("%s %d".formatted(OPEN, log.end()));
      // Above all that are in the log, as each has a position of its own.
      for (long number = log.end(); writer.failure().isEmpty(); number++) {
        log(log, writer, number, early);
      }
      after(log, writer);
    }
  }

  private static void log(EventLog log, EventWriter writer, long number, boolean early)
      throws InterruptedException {
    EncodedEvent scored = SampleEvents.scored("ctr", id(number), CANDIDATES);
    long end = log.end();
    while (!writer.offer(scored)) {
      if (writer.failure().isPresent()) {
        return;
      }
      end = writer.awaitEnd(end, WHILE);
    }
    if (early) {
      say("%s %d -1".formatted(DURABLE, number));
    }
    FeedbackItem label =
        new FeedbackItem.Labelled(id(number), 1, Long.toString(number), 1, 1, number);
    boolean _ = writer.submit(label, LONG, outcome -> told(number, outcome));
  }

  private static void told(long number, Outcome outcome) {
    switch (outcome) {
      case Outcome.Durable durable ->
          say("%s %d %d".formatted(DURABLE, number, durable.position()));
      case Outcome.Failed _ -> {} // The last thing that is said is of that.
      case Outcome.Unknown _, Outcome.Invalid _ -> say(outcome.toString());
    }
  }

  /** Says how many events can be read of a log that has failed, and what it says to one more. */
  private static void after(EventLog log, EventWriter writer) {
    long read = 0;
    while (read < log.end()) {
      read += log.read(read, 100).size();
    }
    boolean taken = writer.offer(SampleEvents.scored("ctr", id(0), CANDIDATES));
    String again = "taken";
    try {
      log.append(0, List.of(EncodedEvent.of("ctr", new Event.Boundary())));
    } catch (EventLogException e) {
      again = String.valueOf(e.getMessage());
    }
    say("%s %d %s %s".formatted(FAILED, read, taken, again));
  }

  /** In one write: the process may end between any two. */
  private static synchronized void say(String line) {
    System.out.writeBytes((line + "\n").getBytes(StandardCharsets.US_ASCII));
    System.out.flush();
  }
}
