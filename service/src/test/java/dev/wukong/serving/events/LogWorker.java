package dev.wukong.serving.events;

import dev.wukong.serving.events.FeedbackItem.Outcome;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A process that logs predictions and a label of each, and says which labels are durable, until it
 * is killed. Arguments: the log's folder, and whether to say it before it is so.
 */
final class LogWorker {
  static final String OPEN = "open";
  static final String DURABLE = "durable";

  /** Small, so that files are written and removed all the time. */
  static final long FILE_BYTES = 1 << 18;

  static final int CANDIDATES = 50;
  private static final long MADE = 1_700_000_000_000L;
  private static final Duration LONG = Duration.ofMinutes(1);

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
      for (long number = log.end(); ; number++) {
        log(writer, number, early);
      }
    }
  }

  private static void log(EventWriter writer, long number, boolean early)
      throws InterruptedException {
    if (!writer.offer(SampleEvents.scored("ctr", id(number), CANDIDATES))) {
      return; // The queue is full: a label of it would be unknown.
    }
    if (early) {
      say("%s %d 0".formatted(DURABLE, number));
    }
    FeedbackItem label =
        new FeedbackItem.Labelled(id(number), 1, Long.toString(number), 1, 1, number);
    boolean _ = writer.submit(label, LONG, outcome -> told(number, outcome));
  }

  private static void told(long number, Outcome outcome) {
    switch (outcome) {
      case Outcome.Durable durable ->
          say("%s %d %d".formatted(DURABLE, number, durable.position()));
      case Outcome.Unknown _, Outcome.Invalid _, Outcome.Failed _ -> say(outcome.toString());
    }
  }

  /** In one write: the process may end between any two. */
  private static synchronized void say(String line) {
    System.out.writeBytes((line + "\n").getBytes(StandardCharsets.US_ASCII));
    System.out.flush();
  }
}
