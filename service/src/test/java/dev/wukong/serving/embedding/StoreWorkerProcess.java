package dev.wukong.serving.embedding;

import dev.wukong.bench.BenchmarkContext;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A {@link StoreWorker} in a process of its own. One thread. */
final class StoreWorkerProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader from;
  private final Path log;

  /**
   * Starts it and waits until it is about to open the store.
   *
   * @param folder of the store, of what the process unpacks and of its log
   */
  StoreWorkerProcess(Path folder, long seed, boolean early) throws IOException {
    log = folder.resolve("worker.log");
    ProcessBuilder builder =
        new ProcessBuilder(
                BenchmarkContext.java().toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                StoreWorker.class.getName(),
                store(folder).toString(),
                Long.toString(seed),
                Boolean.toString(early))
            .redirectError(log.toFile());
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    // Else each that is killed leaves its own copy of the library behind.
    builder.environment().put("ROCKSDB_SHAREDLIB_DIR", folder.toString());
    process = builder.start();
    from = process.inputReader(StandardCharsets.US_ASCII);
    expect(StoreWorker.OPENING);
  }

  /** Where the store is. */
  static Path store(Path folder) {
    return folder.resolve("store");
  }

  /** Asks for operation {@code number}, and waits until it has begun. */
  void begin(int number) throws IOException {
    process.getOutputStream().write((number + "\n").getBytes(StandardCharsets.US_ASCII));
    process.getOutputStream().flush();
    expect(StoreWorker.BEGUN + " " + number);
  }

  /** Waits for a line that is {@code must}. */
  void expect(String must) throws IOException {
    String line = from.readLine();
    if (!must.equals(line)) {
      throw new IOException(
          "the process says '%s', must say '%s': %s".formatted(line, must, Files.readString(log)));
    }
  }

  /** Waits for its next line. */
  String line() throws IOException {
    String line = from.readLine();
    if (line == null) {
      throw new IOException("the process has ended: " + Files.readString(log));
    }
    return line;
  }

  /** Kills it; whether it had said, before that, that the operation under way was done. */
  boolean kill() throws IOException, InterruptedException {
    // By its handle: the process would throw away what it has said and nobody has read yet.
    boolean _ = process.toHandle().destroyForcibly();
    int _ = process.waitFor();
    boolean done = false;
    for (String line = from.readLine(); line != null; line = from.readLine()) {
      done |= line.startsWith(StoreWorker.DONE);
    }
    return done;
  }

  /** Has it close its store and end. */
  void end() throws IOException, InterruptedException {
    process.getOutputStream().close();
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException(
          "the process ends with status %d: %s".formatted(status, Files.readString(log)));
    }
  }

  /** Leaves nothing that runs. */
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      int _ = process.waitFor();
      from.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
