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
   * So many steps behind: a quarter of a core that a thread of the process's own priority wants,
   * too. 2 at first and 10 after a minute were no better in one run of swap and of predict-cost.
   */
  static final int STEPS = 5;

  /** As Linux shows the names of the threads, cut to 15 characters. */
  private static final List<String> NAMES = List.of("C1 CompilerThre", "C2 CompilerThre");

  private static final AtomicBoolean begun = new AtomicBoolean();

  private QuietCompilers() {}

  /**
   * Lowers their priority, for good. Does nothing the second time, nor on other platforms than
   * Linux.
   */
  public static void begin() {
    if (begun.getAndSet(true) || !Files.isDirectory(QuietThread.TASKS)) {
      return;
    }
    // Each is started by another, whose priority it takes: one that is started while we look, by
    // one not reached yet, is found by the second look.
    for (int look = 0; look < 2; look++) {
      try (Stream<Path> threads = Files.list(QuietThread.TASKS)) {
        for (Path thread : threads.filter(QuietCompilers::compiles).toList()) {
          QuietThread.lower(Integer.parseInt(thread.getFileName().toString()), STEPS);
        }
      } catch (IOException | UncheckedIOException e) {
        log.info("the compiler's threads compete with requests: {}", e.toString());
      }
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
