package dev.wukong.serving.predict;

import com.google.protobuf.ByteString;
import dev.wukong.proto.v1.Exposure;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.Label;
import dev.wukong.proto.v1.Refusal.Reason;
import dev.wukong.serving.events.FeedbackItem;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.predict.FeedbackTokens.Shown;
import dev.wukong.text.ShownText;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Tells feedback that can be joined from what cannot, as far as it says so by itself. Any thread.
 */
final class FeedbackCheck {
  /** One label of more would be all that a model learns for minutes. */
  private static final float MOST_WEIGHT = 10_000;

  /** So far other clocks may be ahead. */
  private static final Duration AHEAD = Duration.ofMinutes(5);

  /** What a feedback event is. */
  sealed interface Checked {
    /** Fit for the log. */
    record Fit(FeedbackItem item) implements Checked {}

    /** Not to be accepted; sending it again does not help. */
    record Unfit(Reason reason, String message) implements Checked {}
  }

  private final Supplier<List<String>> tasks;
  private final Duration horizon;
  private final int mostPositions;
  private final FeedbackTokens tokens;
  private final String model;

  /**
   * A check.
   *
   * @param tasks of the model that learns; empty where none is loaded now
   * @param horizon how long after a prediction feedback can be joined
   * @param mostPositions of an exposure
   * @param tokens how ids are shown
   * @param model that learns
   */
  FeedbackCheck(
      Supplier<List<String>> tasks,
      Duration horizon,
      int mostPositions,
      FeedbackTokens tokens,
      String model) {
    this.tasks = tasks;
    this.horizon = horizon;
    this.mostPositions = mostPositions;
    this.tokens = tokens;
    this.model = model;
  }

  /**
   * What {@code event} is.
   *
   * @param source who reports it; empty where that is not known
   */
  Checked check(FeedbackEvent event, String source, long nowMs) {
    return switch (tokens.read(event.getPredictionId(), model)) {
      case Shown.Malformed(int wanted) ->
          invalid(
              "field 'prediction_id' has %d bytes, want %d: those of the answer"
                  .formatted(event.getPredictionId().size(), wanted));
      case Shown.Foreign _ ->
          new Checked.Unfit(
              Reason.REASON_UNKNOWN_PREDICTION,
              "field 'prediction_id' is none that this service has made for model '%s'"
                  .formatted(model));
      case Shown.Id(PredictionId id, int candidates) -> check(event, id, candidates, source, nowMs);
    };
  }

  private Checked check(
      FeedbackEvent event, PredictionId id, int candidates, String source, long nowMs) {
    if (nowMs - id.madeMs() > horizon.toMillis()) {
      return new Checked.Unfit(
          Reason.REASON_TOO_LATE,
          "the prediction was made %s ago, feedback is joined for %s"
              .formatted(Duration.ofMillis(nowMs - id.madeMs()), horizon));
    }
    return switch (event.getEventCase()) {
      case EXPOSURE -> exposure(id, event.getExposure(), candidates, source, nowMs);
      case LABEL -> label(id, event.getLabel(), candidates, source, nowMs);
      case EVENT_NOT_SET -> invalid("field 'event' is absent, want 'exposure' or 'label'");
    };
  }

  private static Checked invalid(String message) {
    return new Checked.Unfit(Reason.REASON_INVALID, message);
  }

  private Checked exposure(
      PredictionId id, Exposure exposure, int candidates, String source, long nowMs) {
    ByteString bytes = exposure.getPositions();
    if (bytes.isEmpty() || bytes.size() % Integer.BYTES != 0) {
      return invalid(
          "field 'exposure.positions' has %d bytes, want 4 for each position, and at least one"
              .formatted(bytes.size()));
    }
    int count = bytes.size() / Integer.BYTES;
    if (count > mostPositions) {
      return invalid(
          "field 'exposure.positions' has %d positions, allowed are %d"
              .formatted(count, mostPositions));
    }
    IntBuffer packed = bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
    int[] positions = new int[count];
    packed.get(positions);
    for (int position : positions) {
      if (position < 0) {
        return invalid(
            "field 'exposure.positions' has %d, allowed are 0 and more".formatted(position));
      }
      if (candidates != FeedbackTokens.UNTOLD && position >= candidates) {
        return invalid(beyond("exposure.positions' has", position, candidates));
      }
    }
    if (IntStream.of(positions).distinct().count() < count) {
      return invalid("field 'exposure.positions' has a position twice, want distinct ones");
    }
    Checked late = time("exposure.event_time_ms", exposure.getEventTimeMs(), nowMs);
    return late == null
        ? new Checked.Fit(
            new FeedbackItem.Exposed(id, positions, exposure.getEventTimeMs(), source))
        : late;
  }

  private static String beyond(String field, int position, int candidates) {
    return "field '%s %d, the prediction has the candidates 0 to %d"
        .formatted(field, position, candidates - 1);
  }

  private Checked label(PredictionId id, Label label, int candidates, String source, long nowMs) {
    if (label.getPosition() < 0) {
      return invalid(
          "field 'label.position' is %d, allowed are 0 and more".formatted(label.getPosition()));
    }
    if (candidates != FeedbackTokens.UNTOLD && label.getPosition() >= candidates) {
      return invalid(beyond("label.position' is", label.getPosition(), candidates));
    }
    List<String> known = tasks.get();
    if (!known.isEmpty() && !known.contains(label.getTask())) {
      return invalid(
          "field 'label.task' is '%s', the model's tasks are %s"
              .formatted(ShownText.of(label.getTask()), known));
    }
    if (!(label.getValue() >= 0 && label.getValue() <= 1)) {
      return invalid("field 'label.value' is %s, allowed are 0 to 1".formatted(label.getValue()));
    }
    float weight = label.hasWeight() ? label.getWeight() : 1;
    if (!(weight >= 0 && weight <= MOST_WEIGHT)) {
      return invalid(
          "field 'label.weight' is %s, allowed are 0 to %.0f".formatted(weight, MOST_WEIGHT));
    }
    Checked late = time("label.event_time_ms", label.getEventTimeMs(), nowMs);
    return late == null
        ? new Checked.Fit(
            new FeedbackItem.Labelled(
                id,
                label.getPosition(),
                label.getTask(),
                label.getValue(),
                weight,
                label.getEventTimeMs(),
                source))
        : late;
  }

  private static @Nullable Checked time(String field, long timeMs, long nowMs) {
    long latest = nowMs + AHEAD.toMillis();
    return timeMs > 0 && timeMs <= latest
        ? null
        : invalid(
            ("field '%s' is %d, allowed are milliseconds since 1970-01-01 UTC, up to %d (%d minutes"
                    + " ahead of now)")
                .formatted(field, timeMs, latest, AHEAD.toMinutes()));
  }
}
