package dev.wukong.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kept libraries, under everything that happens to folders. */
class NativeLibrariesTest {
  @TempDir private Path folder = Path.of("");
  private Path root = Path.of("");
  private Path temporary = Path.of("");

  @BeforeEach
  void folders() throws IOException {
    root = folder.resolve("a/cache");
    temporary = Files.createDirectory(folder.resolve("tmp"));
    // The build for GPUs keeps to ONNX Runtime's own way.
    Assumptions.assumeTrue(
        NativeLibrariesTest.class
                .getClassLoader()
                .getResource("ai/onnxruntime/native/linux-x64/libonnxruntime_providers_shared.so")
            == null);
  }

  /** Starts ONNX Runtime in a process of its own; gives what it said. */
  private String start(String... options) throws Exception {
    // A common umask that leaves new files to the group, too.
    List<String> command = new ArrayList<>(List.of("sh", "-c", "umask 0002 && exec \"$@\"", "sh"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-Xmx256m", "--enable-native-access=ALL-UNNAMED", "-Djava.io.tmpdir=" + temporary));
    command.addAll(List.of(options));
    command.add(OnnxRuntimeTest.Child.class.getName());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(said).isZero();
      return said;
    } finally {
      process.destroyForcibly();
    }
  }

  private String startWithCache() throws Exception {
    return start("-D" + NativeLibraries.CACHE + "=" + root);
  }

  private Path kept() throws IOException {
    try (Stream<Path> folders = Files.list(root)) {
      List<Path> all = folders.filter(Files::isDirectory).toList();
      assertThat(all).hasSize(1);
      return all.getFirst();
    }
  }

  @Test
  void start_twice_unpacksOnceAndLeavesNothingTemporary() throws Exception {
    assertThat(startWithCache()).contains("started ");
    Path library = kept().resolve("libonnxruntime.so");
    Object first = Files.readAttributes(library, "unix:ino").get("ino");
    assertThat(kept().getFileName().toString())
        .matches("onnxruntime-" + OnnxRuntime.version() + "-[0-9a-f]{16}");
    assertThat(startWithCache()).contains("started ");
    assertThat(Files.readAttributes(library, "unix:ino")).containsEntry("ino", first);
    assertThat(temporary).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"cut", "changed", "missing"})
  void start_damagedLibrary_isUnpackedAgain(String damage) throws Exception {
    Path library = NativeLibraries.unpacked(root).orElseThrow().resolve("libonnxruntime4j_jni.so");
    byte[] right = Files.readAllBytes(library);
    switch (damage) {
      case "cut" -> Files.write(library, Arrays.copyOf(right, 1000));
      case "changed" -> {
        byte[] wrong = right.clone();
        wrong[5000] ^= 1;
        Files.write(library, wrong);
      }
      default -> Files.delete(library);
    }
    assertThat(startWithCache()).contains("started ");
    assertThat(Files.readAllBytes(library)).isEqualTo(right);
    assertThat(kept()).isEqualTo(library.getParent());
  }

  @Test
  void unpacked_leftoversOfAKilledProcess_areRemoved() throws IOException {
    Path left = Files.createDirectories(root.resolve(".tmp-123"));
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
    Files.writeString(left.resolve("libonnxruntime.so"), "half");
    assertThat(NativeLibraries.unpacked(root)).contains(kept());
  }

  @Test
  void unpacked_byManyAtOnce_isWhole() throws Exception {
    try (ExecutorService many = Executors.newFixedThreadPool(4)) {
      Callable<Path> unpack = () -> NativeLibraries.unpacked(root).orElseThrow();
      List<Path> folders = new ArrayList<>();
      for (Future<Path> each : many.invokeAll(List.of(unpack, unpack, unpack, unpack))) {
        folders.add(each.get());
      }
      assertThat(folders).containsOnly(kept());
    }
  }

  @Test
  void start_folderThatCannotBeMade_startsAllTheSame() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThat(start("-D" + NativeLibraries.CACHE + "=" + file.resolve("cache")))
        .contains("started ");
    assertThat(start("-D" + NativeLibraries.CACHE + "=")).contains("started ");
  }

  /** Whoever may write there could put code into this process. */
  @Test
  void unpacked_folderThatOthersMayWriteTo_isRefused() throws IOException {
    Path kept = NativeLibraries.unpacked(root).orElseThrow();
    Files.setPosixFilePermissions(kept, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(() -> NativeLibraries.unpacked(root))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("others may write to it");
  }
}
