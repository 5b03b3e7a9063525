package dev.wukong.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A child process that answers each line on its standard input with one line. It ends with its
 * input, so it never outlives this process. One thread.
 */
final class WorkerProcess implements AutoCloseable {
  private final String name;
  private final Process process;
  private final Path log;
  private final BufferedReader in;
  private final BufferedWriter out;

  /**
   * Starts {@code main} of this project's command line in a Java of its own, with a small heap, so
   * that its memory says what ONNX Runtime takes.
   *
   * @param what it is, for messages
   */
  static WorkerProcess startJava(
      String what, BenchmarkContext context, Class<?> main, List<String> arguments, Path log)
      throws IOException, BenchmarkException {
    List<String> command =
        new ArrayList<>(
            List.of(
                BenchmarkContext.java().toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-Dloader.main=" + main.getName(),
                "-cp",
                context.jar("model-export").toString(),
                "org.springframework.boot.loader.launch.PropertiesLauncher"));
    command.addAll(arguments);
    return start(what, command, Map.of("ORT_DISABLE_TELEMETRY", "1"), log);
  }

  /**
   * Starts a process and waits for its line {@code ready ...}.
   *
   * @param log takes its standard error
   */
  static WorkerProcess start(
      String name, List<String> command, Map<String, String> environment, Path log)
      throws IOException, BenchmarkException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
    builder.environment().putAll(environment);
    WorkerProcess worker = new WorkerProcess(name, builder.start(), log);
    try {
      String first = worker.read();
      if (!first.startsWith("ready")) {
        throw new BenchmarkException(name + " begins with '" + first + "', want 'ready'");
      }
      return worker;
    } catch (BenchmarkException | IOException e) {
      worker.close();
      throw e;
    }
  }

  private WorkerProcess(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
    this.in = process.inputReader(StandardCharsets.UTF_8);
    this.out = process.outputWriter(StandardCharsets.UTF_8);
  }

  /** Sends a line; the numbers of the answer. */
  double[] ask(String line) throws IOException, BenchmarkException {
    out.write(line);
    out.newLine();
    out.flush();
    String answer = read();
    try {
      return Arrays.stream(answer.strip().split(" ", -1))
          .mapToDouble(Double::parseDouble)
          .toArray();
    } catch (NumberFormatException e) {
      throw new BenchmarkException(name + " answers '" + line + "' with '" + answer + "'");
    }
  }

  private String read() throws IOException, BenchmarkException {
    String line = in.readLine();
    if (line == null) {
      List<String> all = Files.readAllLines(log);
      throw new BenchmarkException(
          name
              + " has ended: "
              + String.join("\n", all.subList(Math.max(0, all.size() - 15), all.size())));
    }
    return line;
  }

  /** The most memory that it ever had resident, in MiB. */
  double peakMemory() throws IOException, BenchmarkException {
    Path status = Path.of("/proc", String.valueOf(process.pid()), "status");
    if (!Files.isReadable(status)) {
      throw new BenchmarkException("resident memory is read from " + status + ": Linux only");
    }
    try (Stream<String> lines = Files.lines(status)) {
      String peak =
          lines
              .filter(line -> line.startsWith("VmHWM:"))
              .findFirst()
              .orElseThrow(() -> new BenchmarkException(status + " has no VmHWM"));
      return Long.parseLong(peak.replaceAll("[^0-9]", "")) / 1024.0;
    }
  }

  @Override
  public void close() {
    process.destroy();
  }
}
