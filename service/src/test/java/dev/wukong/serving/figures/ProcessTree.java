package dev.wukong.serving.figures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A process, its descendants and all of its session, as the kernel shows them in {@code /proc}.
 * Descendants that left their parents are found by the session, those that left the session by
 * their parents. Safe for all threads.
 */
final class ProcessTree {
  /** Kernel ticks a second, as everywhere on Linux. */
  private static final double TICKS = 100;

  private static final long GRACE_SECONDS = 20;

  private final ProcessHandle root;

  /** The tree of {@code root}, which leads a session of its own if others are to be found by it. */
  ProcessTree(ProcessHandle root) {
    this.root = root;
  }

  /** What one line of {@code /proc/PID/stat} says of a process. */
  record Stat(long session, double cpuSeconds) {
    static Stat parse(String line) {
      // The name may hold blanks and brackets; behind its last bracket field 3 is the first.
      String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
      return new Stat(
          Long.parseLong(fields[3]),
          (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS);
    }
  }

  /** Process ids of those that live. */
  Set<Long> pids() throws IOException {
    Set<Long> pids = new TreeSet<>();
    try (Stream<ProcessHandle> all = Stream.concat(Stream.of(root), root.descendants())) {
      all.filter(ProcessHandle::isAlive).map(ProcessHandle::pid).forEach(pids::add);
    }
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      for (Path process : all.filter(ProcessTree::isProcess).toList()) {
        long pid = Long.parseLong(process.getFileName().toString());
        Stat stat = read(pid);
        if (stat != null && stat.session == root.pid()) {
          pids.add(pid);
        }
      }
    }
    return pids;
  }

  private static boolean isProcess(Path folder) {
    return folder.getFileName().toString().matches("[0-9]+");
  }

  private static @Nullable Stat read(long pid) throws IOException {
    try {
      return Stat.parse(Files.readString(Path.of("/proc", Long.toString(pid), "stat")));
    } catch (NoSuchFileException e) {
      return null; // It has ended meanwhile.
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).contains("No such process")) {
        return null;
      }
      throw e;
    }
  }

  /** Seconds of processor time that each process has taken. */
  Map<Long, Double> cpuSeconds() throws IOException {
    Map<Long, Double> seconds = new HashMap<>();
    for (long pid : pids()) {
      Stat stat = read(pid);
      if (stat != null) {
        seconds.put(pid, stat.cpuSeconds);
      }
    }
    return seconds;
  }

  /** Seconds that all have taken since {@code before}; of those that ended meanwhile none. */
  double cpuSecondsSince(Map<Long, Double> before) throws IOException {
    return cpuSeconds().entrySet().stream()
        .mapToDouble(e -> e.getValue() - before.getOrDefault(e.getKey(), 0.0))
        .sum();
  }

  /** Asks the root to end, and kills whatever is left of its tree after a while. */
  void end() throws IOException {
    Set<ProcessHandle> members = handles();
    root.destroy();
    await(Set.of(root));
    members.addAll(handles());
    members.forEach(ProcessHandle::destroyForcibly);
    await(members);
  }

  private Set<ProcessHandle> handles() throws IOException {
    return pids().stream()
        .flatMap(pid -> ProcessHandle.of(pid).stream())
        .collect(Collectors.toSet());
  }

  private static void await(Set<ProcessHandle> processes) {
    for (ProcessHandle process : processes) {
      process.onExit().completeOnTimeout(process, GRACE_SECONDS, TimeUnit.SECONDS).join();
    }
  }
}
