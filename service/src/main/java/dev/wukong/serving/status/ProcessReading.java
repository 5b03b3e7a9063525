package dev.wukong.serving.status;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the process uses at one moment.
 *
 * @param cpuNanos that its threads have run since the start
 * @param residentBytes of memory that it holds; NaN where the system does not say so
 * @param heapBytes of Java's heap in use
 * @param threads platform threads
 */
record ProcessReading(long cpuNanos, double residentBytes, long heapBytes, int threads) {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String RESIDENT = "VmRSS:";

  /** What this process uses now. */
  static ProcessReading now() {
    Runtime runtime = Runtime.getRuntime();
    return new ProcessReading(
        cpu(),
        resident(),
        runtime.totalMemory() - runtime.freeMemory(),
        ManagementFactory.getThreadMXBean().getThreadCount());
  }

  private static long cpu() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getProcessCpuTime()
        : 0;
  }

  private static double resident() {
    if (!Files.isReadable(STATUS)) {
      return Double.NaN;
    }
    try {
      // Such as "VmRSS:	  250000 kB".
      for (String line : Files.readAllLines(STATUS, StandardCharsets.ISO_8859_1)) {
        if (line.startsWith(RESIDENT)) {
          String[] words = line.substring(RESIDENT.length()).strip().split(" ", -1);
          return 1024.0 * Long.parseLong(words[0]);
        }
      }
    } catch (IOException | NumberFormatException _) {
      // It is no reason to show nothing of the rest.
    }
    return Double.NaN;
  }
}
