package dev.wukong.run;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.data.FileFormat;
import java.nio.file.Path;
import java.util.Optional;

/** The {@code data} section of a configuration: where examples come from. */
public sealed interface DataConfig {
  /** The most rows of a simulated split. */
  int MAX_ROWS = 2_000_000_000;

  boolean hasValid();

  boolean hasTest();

  /**
   * Files, relative to the data folder.
   *
   * @param format empty: told by a file's name
   * @param truth the column with the true probability of the first task, where the files have one
   */
  record Files(
      String train,
      Optional<String> valid,
      Optional<String> test,
      Optional<String> format,
      Optional<String> truth)
      implements DataConfig {
    @Override
    public boolean hasValid() {
      return valid.isPresent();
    }

    @Override
    public boolean hasTest() {
      return test.isPresent();
    }

    /** The format of {@code file}, as configured or by its name. */
    public FileFormat format(Path file) {
      return format.map(FileFormat::named).orElseGet(() -> FileFormat.guess(file));
    }
  }

  /**
   * Rows of a simulated world: the first of it to train on, later ones, one after the other, for
   * validation and test.
   *
   * @param world its name
   * @param seed everything follows from it
   * @param train rows, as are valid and test; 0: no such split
   * @param heldOutAfter rows before those for validation: trainings on more and on less data are
   *     tested on the same rows where it is the same
   */
  record Simulated(String world, int seed, int train, int valid, int test, int heldOutAfter)
      implements DataConfig {
    @Override
    public boolean hasValid() {
      return valid > 0;
    }

    @Override
    public boolean hasTest() {
      return test > 0;
    }
  }

  static DataConfig read(Section data) {
    if (!data.has("simulator")) {
      Files files =
          new Files(
              data.text("train"),
              optional(data, "valid"),
              optional(data, "test"),
              optional(data, "format"),
              optional(data, "truth"));
      files.format().ifPresent(FileFormat::named);
      data.done();
      return files;
    }
    Section simulator = data.section("simulator");
    int train = simulator.integer("train", 0, 1, MAX_ROWS);
    Simulated simulated =
        new Simulated(
            simulator.text("world", Worlds.DEFAULT),
            simulator.integer("seed", 1, 0, Integer.MAX_VALUE),
            train,
            simulator.integer("valid", 0, 0, MAX_ROWS),
            simulator.integer("test", 0, 0, MAX_ROWS),
            simulator.integer("held_out_after", train, 1, MAX_ROWS));
    simulator.done();
    if (train == 0) {
      throw new ConfigException(
          simulator.path() + ".train is missing, want the number of rows to train on");
    }
    if (simulated.heldOutAfter() < train) {
      throw new ConfigException(
          "%s.held_out_after is %d, want at least the %d rows of train: no row may be in both"
              .formatted(simulator.path(), simulated.heldOutAfter(), train));
    }
    data.done();
    Worlds.check(simulator.path(), simulated);
    return simulated;
  }

  private static Optional<String> optional(Section section, String key) {
    return section.has(key) ? Optional.of(section.text(key)) : Optional.empty();
  }
}
