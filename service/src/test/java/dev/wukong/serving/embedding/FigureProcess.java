package dev.wukong.serving.embedding;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A process that measures on behalf of a benchmark: a line that it writes is the name and the value
 * of a figure, or progress.
 */
final class FigureProcess {
  private static final String FIGURE = "figure";

  private FigureProcess() {}

  /** Says a figure; on the side of the process. */
  static void tell(String name, double value) {
    System.out.printf("%s %s %s%n", FIGURE, name, value);
    System.out.flush();
  }

  /** Runs {@code command} to its end; the values that it told. */
  static Map<String, Double> run(BenchmarkContext context, List<String> command)
      throws IOException, InterruptedException, BenchmarkException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(Redirect.INHERIT);
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    // Whoever stops the benchmark stops it, too.
    Thread end = new Thread(process::destroyForcibly, "end-figures");
    Runtime.getRuntime().addShutdownHook(end);
    Map<String, Double> told = new HashMap<>();
    try (BufferedReader from = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = from.readLine(); line != null; line = from.readLine()) {
        String[] words = line.split(" ", -1);
        if (words[0].equals(FIGURE)) {
          told.put(words[1], Double.valueOf(words[2]));
        } else {
          context.progress().println(line);
          context.progress().flush();
        }
      }
      int status = process.waitFor();
      if (status != 0) {
        throw new BenchmarkException(
            "the process ends with status %d; 137: it needed more memory than it may have"
                .formatted(status));
      }
    } finally {
      int _ = process.destroyForcibly().waitFor();
      boolean _ = Runtime.getRuntime().removeShutdownHook(end);
    }
    return told;
  }

  /** What it told of {@code name}. */
  static double value(Map<String, Double> told, String name) throws BenchmarkException {
    Double value = told.get(name);
    if (value == null) {
      throw new BenchmarkException("the process has not told '%s'".formatted(name));
    }
    return value;
  }

  /** The number that begins with {@code field} in a file of {@code /proc/self}. */
  static long number(String file, String field) throws IOException {
    return Files.readAllLines(Path.of("/proc/self", file)).stream()
        .filter(line -> line.startsWith(field))
        .mapToLong(line -> Long.parseLong(line.substring(field.length()).strip().split(" ", -1)[0]))
        .findFirst()
        .orElseThrow(() -> new IOException("no %s in /proc/self/%s".formatted(field, file)));
  }
}
