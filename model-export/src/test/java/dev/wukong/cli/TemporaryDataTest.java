package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.WholeFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryDataTest {
  /** A command that is stopped while it encodes, and writes its answer. */
  public static final class Child {
    private Child() {}

    /** Runs in a process of its own, until it is ended. */
    public static void main(String[] args) throws Exception {
      try (TemporaryData data = TemporaryData.create();
          WholeFile half = WholeFile.create(data.file());
          OutputFile out = OutputFile.create(Path.of(args[0]))) {
        out.stream().write(1);
        System.out.println(half.part());
        new CountDownLatch(1).await();
      }
    }
  }

  @TempDir private Path folder = Path.of("");

  @Test
  void data_processIsTerminated_isRemoved() throws Exception {
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Path out = Files.writeString(folder.resolve("scores.csv"), "earlier");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djava.io.tmpdir=" + temporary,
            Child.class.getName(),
            out.toString());
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.redirectErrorStream(true).start();
    try (BufferedReader said = process.inputReader()) {
      Path half = Path.of(String.valueOf(said.readLine()));
      assertThat(half).exists().startsWith(temporary);
      process.toHandle().destroy(); // SIGTERM
      assertThat(process.waitFor()).isEqualTo(128 + 15);
    } finally {
      process.destroyForcibly();
    }
    assertThat(temporary).isEmptyDirectory();
    assertThat(out).hasContent("earlier");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(temporary, out);
    }
  }

  @Test
  void data_closed_isRemoved() throws IOException {
    Path file;
    try (TemporaryData data = TemporaryData.create()) {
      file = Files.writeString(data.file(), "x");
    }
    assertThat(file.getParent()).doesNotExist();
  }
}
