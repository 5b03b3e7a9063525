package dev.wukong.serving.security;

import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import java.util.List;

/** Patterns of names, and names that callers' certificates have. */
public final class SecurityTargets implements FuzzTargets {
  @Override
  public List<FuzzTarget> targets() {
    return List.of(
        new FuzzTarget(
            "name-pattern",
            IllegalArgumentException.class,
            () -> List.of(FuzzTarget.text("uri:spiffe://shop/*\nuri:spiffe://shop/ranker")),
            input -> {
              String[] lines = FuzzTarget.text(input).split("\n", 2);
              boolean _ = NamePattern.parse(lines[0]).matches(lines[lines.length - 1]);
            }));
  }
}
