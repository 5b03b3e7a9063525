package dev.wukong.serving.events;

import java.util.List;
import java.util.function.Supplier;

/**
 * What happened. Feedback names its prediction by the position in the log at which that stands,
 * always an earlier one.
 */
public sealed interface Event {
  /**
   * A request was answered.
   *
   * @param version that answered
   * @param encoding what its ids mean, as in the bundle's manifest
   * @param whole all of it, which is read when somebody asks: few do, and it is large
   */
  record Scored(ScoredVersion version, long encoding, Supplier<ScoredRequest> whole)
      implements Event {
    /** One that is at hand. */
    public Scored(ScoredRequest request) {
      this(request.version(), request.encoding(), () -> request);
    }

    /**
     * All of it.
     *
     * @throws EventLogException if it cannot be read any more
     */
    public ScoredRequest request() {
      return whole.get();
    }
  }

  /**
   * A user saw candidates of a prediction.
   *
   * @param scored the position of the prediction
   * @param positions of the candidates in the request
   * @param timeMs when, by the caller's clock: milliseconds since 1970-01-01 UTC
   * @param source who says so; empty where that is not known
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Exposed(long scored, int[] positions, long timeMs, String source) implements Event {
    /** One of which nobody knows who said so. */
    public Exposed(long scored, int[] positions, long timeMs) {
      this(scored, positions, timeMs, "");
    }
  }

  /**
   * The outcome of a task for a candidate.
   *
   * @param scored the position of the prediction
   * @param position of the candidate in the request
   * @param value 0 to 1
   * @param weight of the example, at least 0
   * @param timeMs when, by the caller's clock: milliseconds since 1970-01-01 UTC
   * @param source who says so; empty where that is not known
   */
  record Labelled(
      long scored, int position, String task, float value, float weight, long timeMs, String source)
      implements Event {
    /** One of which nobody knows who said so. */
    public Labelled(
        long scored, int position, String task, float value, float weight, long timeMs) {
      this(scored, position, task, value, weight, timeMs, "");
    }
  }

  /** Training commits all that is before this; time goes on, though nothing else happens. */
  record Boundary() implements Event {}

  /** Labels are missing, so that nobody is to be taken for one who has none; or they come again. */
  record Frozen(boolean on) implements Event {}

  /**
   * Operators have decided what becomes of what was learned.
   *
   * @param target the number of the healthy state to step back to, or the key of the row that is
   *     erased; else no matter
   */
  record Ordered(Order order, long target) implements Event {}

  /**
   * The events that follow were brought together from the streams of a cluster, one after the
   * other. Nothing else stands between them, and they are learned from together.
   *
   * @param events how many
   * @param place up to where the streams are read with these
   * @param runs which of them are predictions, by where these stand in the streams
   */
  record Sequenced(int events, StreamPlace place, List<PredictionRun> runs) implements Event {
    public Sequenced {
      runs = List.copyOf(runs);
    }
  }

  /** What operators may decide. */
  enum Order {
    /** What was learned by now is healthy, and visible. */
    ACCEPT(1),
    /** All is as a healthy state was. */
    STEP_BACK(2),
    /** Nothing is known any more of an id, in no healthy state either. */
    ERASE(3);

    private final int code;

    Order(int code) {
      this.code = code;
    }

    /** Says in the log which it is; never changes. */
    int code() {
      return code;
    }
  }
}
