package dev.wukong.fuzzing;

import org.jspecify.annotations.Nullable;

/**
 * What Jazzer calls, in a process of its own: it sees by the code that an input has run whether it
 * was worth keeping. The target is named by the system property {@code fuzz.target}.
 */
public final class Fuzzed {
  /** Has a target fail where it should not. */
  static final String PLANTED = "fuzz.planted";

  private static @Nullable FuzzTarget target;

  private Fuzzed() {}

  /** Before all inputs. */
  public static void fuzzerInitialize() {
    FuzzTarget named = FuzzTargets.of(System.getProperty("fuzz.target", ""));
    target = Boolean.getBoolean(PLANTED) ? planted(named) : named;
  }

  /** An input. */
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    FuzzTarget now = target;
    if (now != null) {
      boolean _ = now.reads(input);
    }
  }

  /** As if it took what it cannot read for something that it never meets. */
  private static FuzzTarget planted(FuzzTarget target) {
    return new FuzzTarget(
        target.name(),
        IllegalAccessException.class,
        target.seeds(),
        input -> {
          if (input.length > 0) {
            target.body().read(input);
          }
        });
  }
}
