package dev.wukong.fuzzing;

import dev.wukong.serving.predict.PredictLimits;
import java.time.Duration;
import java.util.List;
import java.util.ServiceLoader;

/**
 * The targets of a package. An implementation lies beside what it reads, has a public constructor
 * without parameters and is named in {@code META-INF/services/dev.wukong.fuzzing.FuzzTargets}.
 */
public interface FuzzTargets {
  /** What requests may have. */
  PredictLimits LIMITS =
      new PredictLimits(100, 10, 1, Duration.ofSeconds(1), Duration.ofSeconds(1));

  /** Its targets; the names of all packages' are different. */
  List<FuzzTarget> targets();

  /** Those of all packages. */
  static List<FuzzTarget> all() {
    return ServiceLoader.load(FuzzTargets.class).stream()
        .flatMap(of -> of.get().targets().stream())
        .toList();
  }

  /**
   * The one called {@code name}.
   *
   * @throws IllegalArgumentException where there is none
   */
  static FuzzTarget of(String name) {
    List<FuzzTarget> all = all();
    return all.stream()
        .filter(target -> target.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no target '%s'; there are %s"
                        .formatted(name, all.stream().map(FuzzTarget::name).toList())));
  }
}
