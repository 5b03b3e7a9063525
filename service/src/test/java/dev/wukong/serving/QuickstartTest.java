package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.testing.Served;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The quickstart in a process of its own, from its first line to Ctrl-C. */
class QuickstartTest {
  /**
   * Seconds, requests, milliseconds and degrees; what was learned and changed; three figures; the
   * scale with their marks, of which one may hide another.
   */
  private static final Pattern LINE =
      Pattern.compile(
          "(?m)^ *\\d+ +[0-9,]+ +[0-9.]+ +\\d+ +([0-9,]+) +([0-9,]+)"
              + "((?: +\\d\\.\\d{4}){3}) +\\|[BLF.]+\\|$");

  private static final int CHANGES = 2;

  @TempDir Path folder;

  /** A jar that starts the classes under test, as the service's does its own. */
  private Path jar() throws Exception {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.put(Attributes.Name.MAIN_CLASS, ServingApplication.class.getName());
    attributes.put(
        Attributes.Name.CLASS_PATH,
        Stream.of(System.getProperty("java.class.path").split(System.getProperty("path.separator")))
            .map(entry -> Path.of(entry).toUri().toString())
            .collect(Collectors.joining(" ")));
    attributes.putValue("Enable-Native-Access", "ALL-UNNAMED");
    Path jar = folder.resolve("service.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream _ = new JarOutputStream(out, manifest)) {
      return jar;
    }
  }

  private Process start(Path log, String... where) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "dev.wukong.cli.ModelExport",
                "quickstart",
                "--folder=" + folder.resolve("quickstart"),
                "--requests=300",
                "--seconds=0",
                "--no-bars"));
    command.addAll(List.of(where));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    return builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
  }

  @Test
  void quickstart_untilCtrlC_learnsShowsFiguresAndCleansUp() throws Exception {
    Path log = folder.resolve("log");
    Process process = start(log, "--service=" + jar());
    List<ProcessHandle> children = List.of();
    try {
      Served.await(
          "what was learned serves and is shown",
          () -> {
            String text = Files.readString(log);
            assertThat(process.isAlive()).as(text).isTrue();
            return LINE.matcher(text).results().anyMatch(line -> count(line.group(CHANGES)) > 1);
          });
      children = process.descendants().toList();
      assertThat(children).isNotEmpty();
      process.destroy();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    String text = Files.readString(log);
    assertThat(process.exitValue()).as(text).isEqualTo(143);
    assertThat(children).noneMatch(ProcessHandle::isAlive);
    assertThat(text)
        .containsPattern("Seen: tastes turned by \\d+ degrees in [0-9,]+ requests")
        .containsPattern(
            "NE over .* best \\d\\.\\d{4}, learns \\d\\.\\d{4}, frozen \\d\\.\\d{4}\\.")
        .contains("Stopped. To serve the model again:");
    assertChangesGrow(text);
    try (Stream<Path> left = Files.walk(folder.resolve("quickstart"), 2)) {
      assertThat(left.map(path -> String.valueOf(path.getFileName())).toList())
          .contains("service.log")
          .doesNotContain("store", "events");
    }
  }

  @Test
  void quickstart_atAServiceThatRuns_makesItsModelsOnce() throws Exception {
    Path bundles = Files.createDirectories(folder.resolve("bundles"));
    try (Served service =
        Served.start(bundles, "wukong.online.model=learns", "wukong.online.window=2s")) {
      String target = "127.0.0.1:" + service.grpcPort();
      assertThat(untilALine(bundles, target)).contains("1. Train Wukong on 3,000 simulated");
      assertThat(untilALine(bundles, target))
          .contains("1. '%s' has the models".formatted(bundles))
          .doesNotContain("Train Wukong");
    }
    try (Stream<Path> models = Files.list(bundles)) {
      assertThat(models.map(path -> String.valueOf(path.getFileName())))
          .containsExactlyInAnyOrder("learns", "frozen");
    }
    assertThat(bundles.resolve("learns/1/manifest.json")).exists();
    assertThat(bundles.resolve("learns/2")).doesNotExist();
  }

  /** What it says until it shows figures and is ended. */
  private String untilALine(Path bundles, String target) throws Exception {
    Path log = Files.createTempFile(folder, "quickstart", ".log");
    Process process = start(log, "--bundles=" + bundles, "--target=" + target);
    try {
      Served.await(
          "figures are shown",
          () -> {
            String text = Files.readString(log);
            assertThat(process.isAlive()).as(text).isTrue();
            return LINE.matcher(text).find();
          });
      process.destroy();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(log);
    assertThat(process.exitValue()).as(text).isEqualTo(143);
    return text;
  }

  private static long count(String figure) {
    return Long.parseLong(figure.replace(",", ""));
  }

  private static void assertChangesGrow(String text) {
    long before = 0;
    Matcher line = LINE.matcher(text);
    while (line.find()) {
      long changes = count(line.group(CHANGES));
      assertThat(changes).isGreaterThanOrEqualTo(before);
      before = changes;
    }
    assertThat(before).isGreaterThan(1);
  }
}
