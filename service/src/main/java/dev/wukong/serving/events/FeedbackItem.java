package dev.wukong.serving.events;

/** What is said about a prediction after its answer. */
public sealed interface FeedbackItem {
  /** The prediction that it is about. */
  PredictionId prediction();

  /**
   * A user saw candidates of a prediction.
   *
   * @param positions of the candidates in the request; not changed any more
   * @param timeMs when, by the caller's clock: milliseconds since 1970-01-01 UTC
   * @param source who says so; empty where that is not known
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Exposed(PredictionId prediction, int[] positions, long timeMs, String source)
      implements FeedbackItem {
    /** One of which nobody knows who said so. */
    public Exposed(PredictionId prediction, int[] positions, long timeMs) {
      this(prediction, positions, timeMs, "");
    }
  }

  /**
   * The outcome of a task for a candidate.
   *
   * @param position of the candidate in the request
   * @param value 0 to 1
   * @param weight of the example, at least 0
   * @param timeMs when, by the caller's clock: milliseconds since 1970-01-01 UTC
   * @param source who says so; empty where that is not known
   */
  record Labelled(
      PredictionId prediction,
      int position,
      String task,
      float value,
      float weight,
      long timeMs,
      String source)
      implements FeedbackItem {
    /** One of which nobody knows who said so. */
    public Labelled(
        PredictionId prediction,
        int position,
        String task,
        float value,
        float weight,
        long timeMs) {
      this(prediction, position, task, value, weight, timeMs, "");
    }
  }

  /** What became of it. */
  sealed interface Outcome {
    /** It stands in the log at {@code position}, on stable storage. */
    record Durable(long position) implements Outcome {}

    /** No such prediction is in the log: it was never logged, or too long ago. */
    record Unknown() implements Outcome {}

    /** The prediction is not like that; {@code message} says what was wrong. */
    record Invalid(String message) implements Outcome {}

    /** It may not be in the log; {@code reason} is for people. */
    record Failed(String reason) implements Outcome {}
  }
}
