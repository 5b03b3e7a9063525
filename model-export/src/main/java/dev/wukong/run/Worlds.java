package dev.wukong.run;

import dev.wukong.config.ConfigException;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** The simulated worlds by name, as sources of rows. */
final class Worlds {
  static final String DEFAULT = "clicks";

  /** The column of the true probabilities. */
  private static final String TRUTH = "click_probability";

  private static final List<String> NAMES = List.of(DEFAULT);

  /** A world as training needs it. */
  private interface World {
    Schema schema();

    /** Rows that belong together: a split has whole requests. */
    int rowsOfRequest();

    RowSource requests(long from, long to);
  }

  private Worlds() {}

  private static World of(DataConfig.Simulated config) {
    return switch (config.world()) {
      case DEFAULT -> clicks(new Simulator(SimulatorConfig.small(config.seed())));
      default -> throw new IllegalArgumentException(config.world());
    };
  }

  private static World clicks(Simulator simulator) {
    return new World() {
      @Override
      public Schema schema() {
        return simulator.schema();
      }

      @Override
      public int rowsOfRequest() {
        return simulator.config().candidates();
      }

      @Override
      public RowSource requests(long from, long to) {
        return simulator.rows(from, to);
      }
    };
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
    int unit = of(config).rowsOfRequest();
    check(path + ".train", config.train(), unit);
    check(path + ".valid", config.valid(), unit);
    check(path + ".test", config.test(), unit);
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
    World world = of(config);
    long unit = world.rowsOfRequest();
    long valid = config.train() / unit;
    long test = valid + config.valid() / unit;
    return new Splits(
        () -> world.requests(0, valid),
        split(world, valid, test),
        split(world, test, test + config.test() / unit),
        List.of(
            "simulator: world %s, seed %d, %,d rows"
                .formatted(config.world(), config.seed(), config.train())),
        Optional.of(TRUTH));
  }

  private static Optional<Supplier<RowSource>> split(World world, long from, long to) {
    return from == to ? Optional.empty() : Optional.of(() -> world.requests(from, to));
  }
}
