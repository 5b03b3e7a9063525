package dev.wukong.serving.hosting;

import dev.wukong.bundle.TrustedKeys;
import dev.wukong.serving.embedding.RowFormat;
import dev.wukong.serving.engine.EngineOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is loaded and how.
 *
 * @param root the folder of all models' bundles
 * @param models names to serve; empty: all that {@code root} has
 * @param poll how often {@code root} is looked at
 * @param engine how graphs run
 * @param rowFormat how rows are kept in memory
 * @param residentBytes memory for rows, each version of each model
 * @param policies by model; others have the latest version
 * @param plans where operators' wishes outlive the process; empty: nowhere
 * @param maxRows candidates of the largest batch
 * @param trusted whose bundles are loaded
 */
public record HostingOptions(
    Path root,
    List<String> models,
    Duration poll,
    EngineOptions engine,
    RowFormat rowFormat,
    long residentBytes,
    Map<String, VersionPolicy> policies,
    Optional<Path> plans,
    int maxRows,
    TrustedKeys trusted) {
  public HostingOptions {
    models = List.copyOf(models);
    policies = Map.copyOf(policies);
    if (poll.isNegative() || poll.isZero()) {
      throw new IllegalArgumentException("poll is %s, allowed is more than 0".formatted(poll));
    }
    if (residentBytes < 1) {
      throw new IllegalArgumentException(
          "resident bytes are %d, allowed is 1 or more".formatted(residentBytes));
    }
  }

  /** The same for bundles of everybody. */
  public HostingOptions(
      Path root,
      List<String> models,
      Duration poll,
      EngineOptions engine,
      RowFormat rowFormat,
      long residentBytes,
      Map<String, VersionPolicy> policies,
      Optional<Path> plans,
      int maxRows) {
    this(
        root,
        models,
        poll,
        engine,
        rowFormat,
        residentBytes,
        policies,
        plans,
        maxRows,
        TrustedKeys.ANYBODY);
  }

  /** Where is remembered which rows are hot; empty: nowhere. */
  Optional<Path> hotRows() {
    return plans.map(path -> path.resolveSibling("hot"));
  }

  /** Which versions of {@code model} are loaded. */
  VersionPolicy policy(String model) {
    return policies.getOrDefault(model, new VersionPolicy.Latest(1));
  }
}
