package dev.wukong.run;

import dev.wukong.data.RowSource;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The splits to train on and measure.
 *
 * @param files their names, for the manifest
 * @param truth the test split's column with the true probability of the first task, where it has
 *     one
 */
public record Splits(
    Supplier<RowSource> train,
    Optional<Supplier<RowSource>> valid,
    Optional<Supplier<RowSource>> test,
    List<String> files,
    Optional<String> truth) {
  public Splits {
    files = List.copyOf(files);
  }

  /** The splits as {@code config} says; its files lie in {@code folder}. */
  public static Splits of(DataConfig config, Path folder) {
    return switch (config) {
      case DataConfig.Files files -> of(files, folder);
      case DataConfig.Simulated simulated -> Worlds.splits(simulated);
    };
  }

  private static Splits of(DataConfig.Files files, Path folder) {
    return new Splits(
        () -> open(files, folder, files.train()),
        files.valid().map(name -> () -> open(files, folder, name)),
        files.test().map(name -> () -> open(files, folder, name)),
        Stream.of(Optional.of(files.train()), files.valid(), files.test())
            .flatMap(Optional::stream)
            .toList(),
        files.truth());
  }

  private static RowSource open(DataConfig.Files files, Path folder, String name) {
    Path file = folder.resolve(name);
    return files.format(file).open(file);
  }
}
