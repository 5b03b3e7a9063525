package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bench.BenchmarkContext;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The system lets no file of a process grow beyond a bound: the disk is as good as full. */
class FullDiskTest {
  @TempDir Path folder;

  /** Starts a worker whose files may be so large. */
  private Process start(String blocks) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "ulimit -f %s; exec \"$0\" \"$@\"".formatted(blocks),
                BenchmarkContext.java().toString(),
                "-XX:-UsePerfData",
                // Where a process before it has left the library.
                "-Djava.library.path=" + folder,
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                FullDiskWorker.class.getName(),
                folder.resolve("store").toString())
            .redirectError(folder.resolve("worker.log").toFile());
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    builder.environment().put("ROCKSDB_SHAREDLIB_DIR", folder.toString());
    return builder.start();
  }

  /** Has the library lie where the next finds it, who has no room for that: it must be killed. */
  private void leaveTheLibrary() throws IOException, InterruptedException {
    Process process = start("unlimited");
    try (BufferedReader from = process.inputReader(StandardCharsets.US_ASCII)) {
      assertThat(from.readLine()).startsWith(FullDiskWorker.WRITTEN);
    } finally {
      process.destroyForcibly();
      int _ = process.waitFor();
    }
  }

  /** All that a worker says whose files may be so large. */
  private List<String> work(String blocks) throws IOException, InterruptedException {
    Process process = start(blocks);
    try (BufferedReader from = process.inputReader(StandardCharsets.US_ASCII)) {
      List<String> said = from.lines().toList();
      if (process.waitFor() != 0) {
        throw new IOException("it ends: " + Files.readString(folder.resolve("worker.log")));
      }
      return said;
    } finally {
      process.destroyForcibly();
    }
  }

  private static long written(List<String> said) {
    return said.stream().filter(line -> line.startsWith(FullDiskWorker.WRITTEN)).count();
  }

  @Test
  void apply_diskIsFull_failsFromThereOnAndIsReadAsTheCommitBefore() throws Exception {
    leaveTheLibrary();
    long before;
    try (RocksRowStore store = RocksRowStore.open(folder.resolve("store"))) {
      before = store.version(FullDiskWorker.view(0));
    }

    List<String> said = work("4000"); // Of 512 bytes each.

    long written = written(said);
    assertThat(written).isGreaterThan(5);
    assertThat(said).hasSize((int) written + 1 + FullDiskWorker.AGAIN + 1);
    assertThat(said.subList((int) written, said.size() - 1))
        .allSatisfy(
            line -> assertThat(line).startsWith(FullDiskWorker.FAILED + " writing 50 rows"));
    assertThat(said.getLast()).isEqualTo(FullDiskWorker.READ + " " + (before + written));
    try (RocksRowStore store = RocksRowStore.open(folder.resolve("store"))) {
      // One that failed may be there after all, or not: but whole, and none that came later.
      assertThat(FullDiskWorker.stored(store))
          .isIn(Long.toString(before + written), Long.toString(before + written + 1));
      FullDiskWorker.commit(store, before + written + 2);
      assertThat(FullDiskWorker.stored(store)).isEqualTo(Long.toString(before + written + 2));
    }
  }
}
