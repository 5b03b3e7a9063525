package dev.wukong.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Where a benchmark runs and what it was asked.
 *
 * @param root the project's folder
 * @param dataFolder the folder with the data sets
 * @param parts a folder of this benchmark's own, kept between runs: a long run resumes from it
 * @param seedBug the planted defect, one of {@link Benchmark#bugs()}
 * @param options anything else, by name
 * @param progress for people; may be written by any thread
 */
public record BenchmarkContext(
    Path root,
    Path dataFolder,
    Path parts,
    Optional<String> seedBug,
    Map<String, String> options,
    PrintWriter progress) {
  public BenchmarkContext {
    options = Map.copyOf(options);
  }

  /** A file or folder below the data folder. */
  public Path data(String name) throws BenchmarkException {
    Path path = dataFolder.resolve(name);
    if (!Files.exists(path)) {
      throw new BenchmarkException(
          "the data set '"
              + name
              + "' is missing: there is no "
              + path
              + " (-Dbench.data=FOLDER names another folder)");
    }
    return path;
  }

  /** The executable jar of {@code module}. */
  public Path jar(String module) throws BenchmarkException {
    Path jar = root.resolve(module).resolve("target").resolve(module + ".jar");
    if (!Files.isRegularFile(jar)) {
      throw new BenchmarkException(jar + " is missing: `mvn -q -DskipTests package` builds it");
    }
    return jar;
  }

  /** The Java that runs this, for processes that a benchmark starts. */
  public static Path java() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  public boolean planted(String bug) {
    return seedBug.filter(bug::equals).isPresent();
  }

  /** The whole number of an option, {@code otherwise} where it was not given. */
  public long option(String name, long otherwise) throws BenchmarkException {
    String text = options.get(name);
    if (text == null) {
      return otherwise;
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new BenchmarkException(
          "option '" + name + "' is '" + text + "', and must be a whole number");
    }
  }

  /** {@link #parts}, made where it is missing. */
  public Path makeParts() throws IOException {
    return Files.createDirectories(parts);
  }
}
