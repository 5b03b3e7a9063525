package dev.wukong.serving.rest;

import dev.wukong.data.DataException;
import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import java.util.List;

/** What callers send over REST. */
public final class RestTargets implements FuzzTargets {
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
