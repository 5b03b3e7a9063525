package dev.wukong.serving.joining;

import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import dev.wukong.serving.joining.StateFormsTest.Form;
import java.util.List;
import java.util.stream.Stream;

/** What the join remembers: it also comes from a topic. */
public final class JoinTargets implements FuzzTargets {
  @Override
  public List<FuzzTarget> targets() {
    return Stream.of("due", "followed", "shown", "examples", "progress")
        .map(
            kind -> {
              Form form = Form.of(kind);
              return new FuzzTarget(
                  "join-" + kind,
                  IllegalStateException.class,
                  () -> List.of(form.bytes()),
                  input -> {
                    byte[] once = form.again().apply(input);
                    FuzzTarget.requireSame(once, form.again().apply(once));
                  });
            })
        .toList();
  }
}
