package dev.wukong.serving.hosting;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the threads of Java's compiler stand a little behind those that answer requests. On few
 * cores they would take more than half of one for a second whenever something new has become hot,
 * such as the code that loads a version, and requests would queue for as long.
 */
public final class QuietCompilers {
  private static final Logger log = LoggerFactory.getLogger(QuietCompilers.class);

  /**
   * A third of the processor time of a thread of ordinary priority that wants the same core: enough
   * for a server to become quick that is at its limit from the start.
   */
  static final int PRIORITY = 5;

  /** As Linux shows the names of the threads, cut to 15 characters. */
  private static final List<String> NAMES = List.of("C1 CompilerThre", "C2 CompilerThre");

  private static final AtomicBoolean begun = new AtomicBoolean();

  private QuietCompilers() {}

  /**
   * Lowers their priority, for good; those that start later are started by these and have it, too.
   * Does nothing the second time, nor on other platforms than Linux.
   */
  public static void begin() {
    Path tasks = Path.of("/proc/self/task");
    if (begun.getAndSet(true) || !Files.isDirectory(tasks)) {
      return;
    }
    try (Stream<Path> threads = Files.list(tasks)) {
      for (Path thread : threads.filter(QuietCompilers::compiles).toList()) {
        QuietThread.lower(Integer.parseInt(thread.getFileName().toString()), PRIORITY);
      }
    } catch (IOException | UncheckedIOException e) {
      log.info("the compiler's threads compete with requests: {}", e.toString());
    }
  }

  private static boolean compiles(Path thread) {
    try {
      return NAMES.contains(Files.readString(thread.resolve("comm")).strip());
    } catch (IOException e) {
      return false; // It has just ended.
    }
  }
}
