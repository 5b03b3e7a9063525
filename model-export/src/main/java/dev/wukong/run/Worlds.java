package dev.wukong.run;

import dev.wukong.config.ConfigException;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.simulator.ClickSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The simulated worlds by name, as sources of rows. */
final class Worlds {
  static final String DEFAULT = ClickSource.CLICKS;

  private static final List<String> NAMES = List.of(ClickSource.CLICKS, ClickSource.RULES);

  /** What a world follows from. */
  private record Key(String world, int seed) {}

  /**
   * Worlds that were made: making one takes most of a second, and a study reads configurations of
   * one world many times. They do not change, and follow from their keys alone.
   */
  private static final Map<Key, ClickSource> MADE = new ConcurrentHashMap<>();

  private Worlds() {}

  private static ClickSource of(DataConfig.Simulated config) {
    return MADE.computeIfAbsent(
        new Key(config.world(), config.seed()), key -> ClickSource.of(key.world(), key.seed()));
  }

  /**
   * Refuses a world that does not exist and splits that end inside a request.
   *
   * @param path what messages begin with
   */
  static void check(String path, DataConfig.Simulated config) {
    if (!NAMES.contains(config.world())) {
      throw new ConfigException(
          "%s.world is '%s', want one of %s"
              .formatted(path, config.world(), String.join(", ", NAMES)));
    }
    int unit = of(config).candidates();
    check(path + ".train", config.train(), unit);
    check(path + ".valid", config.valid(), unit);
    check(path + ".test", config.test(), unit);
    check(path + ".held_out_after", config.heldOutAfter(), unit);
  }

  private static void check(String path, int rows, int unit) {
    if (rows % unit != 0) {
      throw new ConfigException(
          "%s is %d, want a multiple of %d, the rows of a request".formatted(path, rows, unit));
    }
  }

  static Schema schema(DataConfig.Simulated config) {
    return of(config).schema();
  }

  static Splits splits(DataConfig.Simulated config) {
    ClickSource world = of(config);
    long unit = world.candidates();
    long train = config.train() / unit;
    long valid = config.heldOutAfter() / unit;
    long test = valid + config.valid() / unit;
    return new Splits(
        () -> world.rows(0, train),
        split(world, valid, test),
        split(world, test, test + config.test() / unit),
        List.of(
            "simulator: world %s, seed %d, %,d rows"
                .formatted(config.world(), config.seed(), config.train())),
        Optional.of(ClickSource.CLICK_PROBABILITY));
  }

  private static Optional<Supplier<RowSource>> split(ClickSource world, long from, long to) {
    return from == to ? Optional.empty() : Optional.of(() -> world.rows(from, to));
  }
}
