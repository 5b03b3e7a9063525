package dev.wukong.serving.embedding;

import dev.wukong.bench.BenchmarkException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A memory cgroup, of version 1 or 2, in which processes have so much memory together, the pages of
 * their files counted. It lies below the one of this process, where that is allowed, so that
 * whatever bounds this process bounds them, too. Closed when they have ended.
 */
final class MemoryGroup implements AutoCloseable {
  private static final int TRIES = 100;

  private final Path folder;

  private MemoryGroup(Path folder) {
    this.folder = folder;
  }

  /** Makes one with {@code bytes} of memory. */
  static MemoryGroup make(long bytes) throws BenchmarkException {
    try {
      boolean first = Files.isDirectory(Path.of("/sys/fs/cgroup/memory"));
      Path above =
          first
              ? below(Path.of("/sys/fs/cgroup/memory"), own("memory"))
              : controlled(below(Path.of("/sys/fs/cgroup"), own("")));
      Path folder = above.resolve("wukong-bench-" + ProcessHandle.current().pid());
      Files.createDirectory(folder);
      MemoryGroup group = new MemoryGroup(folder);
      boolean made = false;
      try {
        group.write(first ? "memory.limit_in_bytes" : "memory.max", bytes);
        if (Files.exists(folder.resolve("memory.swap.max"))) {
          group.write("memory.swap.max", 0);
        }
        made = true;
      } finally {
        if (!made) {
          group.close();
        }
      }
      return group;
    } catch (IOException e) {
      throw new BenchmarkException(
          ("cannot make a memory cgroup of %d bytes, which takes root and a cgroup file system that"
                  + " may be written: %s")
              .formatted(bytes, e));
    }
  }

  /** The path of this process in the hierarchy of {@code controller}. */
  private static String own(String controller) throws IOException {
    return path(Files.readAllLines(Path.of("/proc/self/cgroup")), controller);
  }

  /**
   * The path that the lines of {@code /proc/self/cgroup} have for a controller of version 1; empty:
   * that of version 2.
   */
  static String path(List<String> lines, String controller) {
    return lines.stream()
        .map(line -> line.split(":", 3))
        .filter(fields -> List.of(fields[1].split(",", -1)).contains(controller))
        .map(fields -> fields[2])
        .findFirst()
        .orElse("/");
  }

  /** A container may see its own part of the tree only, with the path of the whole. */
  private static Path below(Path root, String path) {
    Path folder = root.resolve(path.substring(1));
    return Files.isDirectory(folder) ? folder : root;
  }

  /** The nearest of version 2 whose children may bound memory. */
  private static Path controlled(Path folder) throws IOException {
    for (Path at = folder; at.startsWith("/sys/fs/cgroup"); at = at.resolve("..").normalize()) {
      if (Files.readString(at.resolve("cgroup.subtree_control")).contains("memory")) {
        return at;
      }
    }
    throw new IOException(
        "no cgroup from %s up bounds the memory of those below".formatted(folder));
  }

  private void write(String file, long number) throws IOException {
    Files.writeString(folder.resolve(file), Long.toString(number));
  }

  /** What runs {@code command} in here: the process is in before it takes any memory. */
  List<String> command(List<String> command) {
    List<String> whole = new ArrayList<>();
    whole.addAll(List.of("sh", "-c", "echo 0 > \"$0\" && exec \"$@\""));
    whole.add(folder.resolve("cgroup.procs").toString());
    whole.addAll(command);
    return whole;
  }

  @Override
  public void close() {
    // The kernel needs a moment until it has forgotten the last process.
    for (int i = 0; ; i++) {
      try {
        Files.deleteIfExists(folder);
        return;
      } catch (IOException e) {
        if (i == TRIES) {
          throw new IllegalStateException("cannot remove the cgroup " + folder, e);
        }
      }
      try {
        TimeUnit.MILLISECONDS.sleep(50);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
