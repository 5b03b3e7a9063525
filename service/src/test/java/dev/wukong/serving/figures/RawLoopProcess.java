package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.figures.LoadModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A {@link RawLoop} on chosen cores. */
final class RawLoopProcess implements AutoCloseable {
  private final Process process;
  private final PrintWriter to;
  private final BufferedReader from;

  RawLoopProcess(String cores, Path bundle, LoadModel model, int values, int threads)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    "taskset",
                    "-c",
                    cores,
                    BenchmarkContext.java().toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    RawLoop.class.getName(),
                    bundle.toString(),
                    model.name(),
                    Integer.toString(values),
                    Integer.toString(threads)))
            .redirectError(Redirect.INHERIT);
    // In the environment: a command line of some kilobytes is more than the runtime takes.
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    this.process = builder.start();
    this.to = new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true);
    this.from = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Microseconds of processor time a row in batches of {@code rows}, over {@code seconds}. */
  double microsPerRow(int rows, double seconds) throws IOException {
    to.println(rows + " " + seconds);
    String line = from.readLine();
    if (line == null) {
      throw new IOException("the raw loop ended");
    }
    return Double.parseDouble(line);
  }

  @Override
  public void close() {
    to.close();
    process.destroy();
  }
}
