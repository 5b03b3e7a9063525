package dev.wukong.serving.rest;

import dev.wukong.data.DataException;
import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import dev.wukong.serving.predict.PredictLimits;
import java.time.Duration;
import java.util.List;

/** What callers send over REST. */
public final class RestTargets implements FuzzTargets {
  private static final PredictLimits LIMITS =
      new PredictLimits(100, 10, 1, Duration.ofSeconds(1), Duration.ofSeconds(1));

  @Override
  public List<FuzzTarget> targets() {
    return List.of(
        new FuzzTarget(
            "question",
            DataException.class,
            () ->
                List.of(
                    FuzzTarget.text(
                        """
                        {"version": 1, "routingKey": "u7", "context": {"user": 100, "age": 1},
                         "candidates": [{"item": 1, "tags": ["red", "blue"], "price": 2.5,
                                         "picture": [1, 2]}, {"item": 2, "price": null}]}
                        """)),
            input -> {
              Question question = QuestionReader.read(input, LIMITS);
              if (question.candidates().size() > LIMITS.candidates()) {
                throw new AssertionError("more candidates than allowed were kept");
              }
            }));
  }
}
