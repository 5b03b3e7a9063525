package dev.wukong.serving.cluster;

import dev.wukong.serving.testing.TestProgram;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A bucket in a store that speaks as S3 does: {@code moto_server}, a process of its own. */
final class Bucket implements AutoCloseable {
  private static final String INSTALL =
      "checkpoints in a bucket are tested with moto_server, and it is not on the path: install what"
          + " .ci/test-tools.txt names (python3 -m venv TOOLS && TOOLS/bin/pip install -r"
          + " .ci/test-tools.txt) and add TOOLS/bin to the path";

  private static final Pattern READY = Pattern.compile("Running on (http://127\\.0\\.0\\.1:\\d+)");

  private final Process process;
  private final String endpoint;

  private Bucket(Process process, String endpoint) {
    this.process = process;
    this.endpoint = endpoint;
  }

  /**
   * An empty one, named {@code shared}. Where this machine has no such store, the tests are skipped
   * and say so, or fail with {@code -Ds3=required}, as in the project's own checks.
   */
  static Bucket start() throws IOException, InterruptedException {
    Path program = TestProgram.find("s3", INSTALL, "moto_server");
    Process process =
        new ProcessBuilder(program.toString(), "-H", "127.0.0.1", "-p", "0")
            .redirectErrorStream(true)
            .start();
    Bucket bucket = new Bucket(process, awaitEndpoint(process.inputReader()));
    bucket.make();
    return bucket;
  }

  private static String awaitEndpoint(BufferedReader said) throws IOException {
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      Matcher ready = READY.matcher(line);
      if (ready.find()) {
        Thread _ = Thread.ofVirtual().start(() -> said.lines().forEach(_ -> {}));
        return ready.group(1);
      }
    }
    throw new IOException("moto_server ends before it is ready");
  }

  private void make() throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest put =
          HttpRequest.newBuilder(URI.create(endpoint + "/shared"))
              .PUT(HttpRequest.BodyPublishers.noBody())
              .build();
      if (http.send(put, BodyHandlers.discarding()).statusCode() != 200) {
        throw new IOException("no bucket was made");
      }
    }
  }

  String endpoint() {
    return endpoint;
  }

  @Override
  public void close() {
    boolean _ = process.toHandle().destroyForcibly();
    try {
      boolean _ = process.waitFor(1, TimeUnit.MINUTES);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
