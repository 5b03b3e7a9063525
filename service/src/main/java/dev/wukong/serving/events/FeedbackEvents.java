package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Feedback on its way into a log: checked against its prediction, and as bytes. Any thread. */
public final class FeedbackEvents {
  private FeedbackEvents() {}

  /** What of {@code item} cannot be, about a prediction that has so many candidates. */
  public static Optional<String> wrong(FeedbackItem item, int candidates) {
    return switch (item) {
      case FeedbackItem.Labelled labelled -> wrong(labelled.position(), candidates);
      case FeedbackItem.Exposed exposed -> {
        for (int position : exposed.positions()) {
          Optional<String> wrong = wrong(position, candidates);
          if (wrong.isPresent()) {
            yield wrong;
          }
        }
        yield Optional.empty();
      }
    };
  }

  private static Optional<String> wrong(int position, int candidates) {
    return position >= 0 && position < candidates
        ? Optional.empty()
        : Optional.of(
            "candidate position %d, the prediction has %d candidates"
                .formatted(position, candidates));
  }

  /** The event that {@code item} is, about the prediction at position {@code scored} of the log. */
  public static Event event(FeedbackItem item, long scored) {
    return switch (item) {
      case FeedbackItem.Exposed exposed ->
          new Event.Exposed(scored, exposed.positions(), exposed.timeMs(), exposed.source());
      case FeedbackItem.Labelled labelled ->
          new Event.Labelled(
              scored,
              labelled.position(),
              labelled.task(),
              labelled.value(),
              labelled.weight(),
              labelled.timeMs(),
              labelled.source());
    };
  }

  /** All of {@code item}, for another process. */
  public static byte[] bytes(FeedbackItem item) {
    EventBytes bytes = new EventBytes(64);
    switch (item) {
      case FeedbackItem.Exposed(PredictionId id, int[] positions, long timeMs, String source) -> {
        head(bytes, EventKind.EXPOSED, id);
        bytes.number(positions.length);
        bytes.numbers(positions, positions.length);
        bytes.fixed(timeMs);
        bytes.source(source);
      }
      case FeedbackItem.Labelled labelled -> {
        head(bytes, EventKind.LABELLED, labelled.prediction());
        bytes.number(labelled.position());
        bytes.text(labelled.task());
        bytes.one(labelled.value());
        bytes.one(labelled.weight());
        bytes.fixed(labelled.timeMs());
        bytes.source(labelled.source());
      }
    }
    return bytes.exact();
  }

  private static void head(EventBytes bytes, EventKind kind, PredictionId id) {
    bytes.one(kind.code());
    bytes.fixed(id.high());
    bytes.fixed(id.low());
  }

  /**
   * What {@link #bytes} made.
   *
   * @throws EventLogException if it did not
   */
  public static FeedbackItem of(byte[] bytes) {
    EventCursor in = new EventCursor(0, ByteBuffer.wrap(bytes), 0);
    int kind = in.one();
    PredictionId id = new PredictionId(in.fixed(), in.fixed());
    if (kind == EventKind.EXPOSED.code()) {
      return in.last(new FeedbackItem.Exposed(id, in.counts(in.count()), in.fixed(), in.source()));
    }
    if (kind != EventKind.LABELLED.code()) {
      throw in.damaged("it is feedback of kind " + kind);
    }
    return in.last(
        new FeedbackItem.Labelled(
            id, in.count(), in.text(), in.oneFloat(), in.oneFloat(), in.fixed(), in.source()));
  }
}
