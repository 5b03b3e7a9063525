package dev.wukong.deployment;

import dev.wukong.serving.testing.TestProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Programs that check manifests: {@code kubernetes-validate}, which brings the schemas of
 * Kubernetes' API, and the Python that it runs on, which has a parser of Prometheus' expressions,
 * too. One thread.
 *
 * @param validator the program
 * @param python its interpreter
 */
record ManifestTools(Path validator, Path python) {
  private static final String INSTALL =
      "the chart's manifests are validated by kubernetes-validate, and it is not on the path:"
          + " install what .ci/test-tools.txt names (python3 -m venv TOOLS &&"
          + " TOOLS/bin/pip install -r .ci/test-tools.txt) and add TOOLS/bin to the path";

  private static final int MINUTES = 5;

  /**
   * Finds them. Where this machine has none, the tests are skipped and say so, or fail with {@code
   * -Dkubernetes.validate=required}, as in the project's own checks.
   */
  static ManifestTools find() throws IOException {
    Path found = TestProgram.find("kubernetes.validate", INSTALL, "kubernetes-validate");
    return new ManifestTools(found, interpreter(found));
  }

  /** What the first line of a script names. */
  private static Path interpreter(Path script) throws IOException {
    try (var lines = Files.lines(script)) {
      String first = lines.findFirst().orElse("");
      Path python = Path.of(first.replaceFirst("^#!\\s*", "").strip());
      if (!first.startsWith("#!") || !Files.isExecutable(python)) {
        throw new AssertionError(
            "%s begins with '%s', which names no interpreter".formatted(script, first));
      }
      return python;
    }
  }

  /** What the validator says of all objects in {@code files}, a line each. */
  List<String> validate(String version, List<Path> files) throws Exception {
    List<String> command =
        new ArrayList<>(List.of(validator.toString(), "-k", version, "--strict"));
    files.forEach(file -> command.add(file.toString()));
    return lines(command);
  }

  /** What the script of the tests' own says of a file, a line for each fault. */
  List<String> check(Path script, Path file) throws Exception {
    return lines(List.of(python.toString(), "-B", script.toString(), file.toString()));
  }

  private static List<String> lines(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
        throw new AssertionError(command + " does not end");
      }
      return said.lines().toList();
    } finally {
      process.destroyForcibly();
    }
  }
}
