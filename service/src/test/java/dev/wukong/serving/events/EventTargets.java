package dev.wukong.serving.events;

import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import java.util.List;

/** What is read from the log's topics, and from the log. */
public final class EventTargets implements FuzzTargets {
  private static final PredictionId ID = SampleEvents.id(1_800_000_000_000L, 7);

  @Override
  public List<FuzzTarget> targets() {
    return List.of(
        new FuzzTarget(
            "prediction",
            EventLogException.class,
            () -> {
              SampleEvents events = new SampleEvents(1);
              return List.of(request(events), request(events), request(events));
            },
            input -> {
              EncodedEvent _ = EncodedEvent.received(input);
            }),
        new FuzzTarget(
            "feedback-item",
            EventLogException.class,
            () ->
                List.of(
                    FeedbackEvents.bytes(
                        new FeedbackItem.Exposed(ID, new int[] {0, 3}, 5, "token:web")),
                    FeedbackEvents.bytes(new FeedbackItem.Labelled(ID, 3, "click", 1, 1, 5))),
            input -> {
              byte[] once = FeedbackEvents.bytes(FeedbackEvents.of(input));
              FuzzTarget.requireSame(once, FeedbackEvents.bytes(FeedbackEvents.of(once)));
            }),
        new FuzzTarget(
            "stream-place",
            EventLogException.class,
            () ->
                List.of(
                    PredictionRun.bytes(
                        List.of(new PredictionRun(4, 1, 70, 3), new PredictionRun(9, 0, 7, 1)))),
            input -> {
              byte[] once = PredictionRun.bytes(PredictionRun.of(input));
              FuzzTarget.requireSame(once, PredictionRun.bytes(PredictionRun.of(once)));
            }));
  }

  private static byte[] request(SampleEvents events) {
    return EncodedEvent.of("tiny", new Event.Scored(events.request(ID))).body();
  }
}
