package dev.wukong.figures;

import dev.wukong.bench.BenchmarkException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** A Python of a benchmark's own, with the packages it compares with. Kept between runs. */
public record PythonEnvironment(Path folder) {
  /** The environment in {@code folder}, made where it does not hold {@code packages} yet. */
  public static PythonEnvironment of(Path folder, List<String> packages, PrintWriter progress)
      throws IOException, InterruptedException, BenchmarkException {
    Path absolute = folder.toAbsolutePath();
    Path done = absolute.resolve("packages.txt");
    String wanted = String.join("\n", packages) + "\n";
    PythonEnvironment environment = new PythonEnvironment(absolute);
    if (Files.isExecutable(environment.python())
        && Files.exists(done)
        && Files.readString(done).equals(wanted)) {
      return environment;
    }
    progress.printf("installing %s into %s%n", String.join(", ", packages), folder);
    progress.flush();
    Path log = absolute.resolveSibling(absolute.getFileName() + ".log");
    Files.createDirectories(absolute);
    run(List.of("python3", "-m", "venv", absolute.toString()), log);
    List<String> install =
        new ArrayList<>(
            List.of(environment.python().toString(), "-m", "pip", "install", "--quiet"));
    install.addAll(packages);
    run(install, log);
    Files.writeString(done, wanted);
    return environment;
  }

  private static void run(List<String> command, Path log)
      throws IOException, InterruptedException, BenchmarkException {
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
    } catch (IOException e) {
      throw new BenchmarkException(
          "a Python 3 with venv and pip is needed, as `python3`: " + e.getMessage());
    }
    process.getOutputStream().close();
    if (process.waitFor() != 0) {
      List<String> lines = Files.readAllLines(log);
      throw new BenchmarkException(
          "`%s` failed: %s"
              .formatted(
                  String.join(" ", command),
                  String.join("\n", lines.subList(Math.max(0, lines.size() - 10), lines.size()))));
    }
  }

  /** The interpreter. */
  public Path python() {
    return folder.resolve("bin").resolve("python");
  }

  /** A script that ships with the program, as a file in {@code parts}. */
  public static Path script(String name, Path parts) throws IOException {
    Path file = parts.resolve(name);
    try (InputStream in = PythonEnvironment.class.getResourceAsStream("/figures/" + name)) {
      if (in == null) {
        throw new IOException("the program lacks its script " + name);
      }
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
    return file;
  }
}
