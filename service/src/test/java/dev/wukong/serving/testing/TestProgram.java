package dev.wukong.serving.testing;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Programs that tests need, and that a machine may lack. */
public final class TestProgram {
  private TestProgram() {}

  /**
   * Where a program is. Where this machine has none, the tests are skipped and say so, or fail
   * where the system property {@code property} is {@code required}, as in the project's own checks.
   *
   * @param install what is said then
   * @param names under which it may be on the path
   */
  public static Path find(String property, String install, String... names) {
    Optional<Path> found = onPath(names);
    if (found.isEmpty()) {
      if ("required".equals(System.getProperty(property))) {
        Assertions.fail(install);
      }
      Assumptions.abort(install);
    }
    return found.orElseThrow();
  }

  private static Optional<Path> onPath(String... names) {
    String path = Objects.requireNonNullElse(System.getenv("PATH"), "");
    for (String name : names) {
      for (String folder : path.split(File.pathSeparator, -1)) {
        Path file = Path.of(folder, name);
        if (Files.isExecutable(file)) {
          return Optional.of(file);
        }
      }
    }
    return Optional.empty();
  }
}
