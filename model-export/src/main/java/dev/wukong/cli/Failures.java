package dev.wukong.cli;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.data.FileProblem;
import dev.wukong.runtime.DeviceException;
import dev.wukong.training.NotFiniteException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IExecutionStrategy;
import picocli.CommandLine.ParseResult;

/**
 * Failures are one line. What a user can mend ends with status 1; a defect of the program, or
 * memory that does not suffice, with status 3. The trace of a defect goes to a file, or with {@code
 * --debug} to the terminal.
 */
final class Failures implements IExecutionExceptionHandler, IExecutionStrategy {
  private static final int REFUSED = 1;
  private static final int BROKEN = 3;

  private final IExecutionStrategy next = new CommandLine.RunLast();

  /** Runs the command; what picocli would let pass as an {@link Error} ends here. */
  @Override
  public int execute(ParseResult parsed) {
    try {
      return next.execute(parsed);
    } catch (OutOfMemoryError e) {
      CommandLine line = deepest(parsed);
      say(
          line,
          "memory does not suffice (%s): give java more than the %,d MB that it may use now, such as java -Xmx%dm -jar ..."
              .formatted(e.getMessage(), megabytes(), 2 * megabytes()));
      return BROKEN;
    } catch (StackOverflowError | LinkageError | AssertionError e) {
      return broken(e, deepest(parsed));
    }
  }

  private static CommandLine deepest(ParseResult parsed) {
    ParseResult last = parsed;
    while (last.hasSubcommand()) {
      last = last.subcommand();
    }
    return last.commandSpec().commandLine();
  }

  private static long megabytes() {
    return Runtime.getRuntime().maxMemory() >> 20;
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine line, ParseResult parsed) {
    Exception cause =
        e instanceof UncheckedIOException
            ? Objects.requireNonNullElse((Exception) e.getCause(), e)
            : e;
    boolean expected =
        // Among them ConfigException, DataException and BundleException.
        cause instanceof IllegalArgumentException
            || cause instanceof IOException
            || cause instanceof BenchmarkException
            || cause instanceof DeviceException
            || cause instanceof NotFiniteException;
    if (!expected || cause.getMessage() == null) {
      return broken(e, line);
    }
    say(line, FileProblem.describe(cause));
    if (debug(line)) {
      e.printStackTrace(line.getErr());
      line.getErr().flush();
    }
    return REFUSED;
  }

  private static int broken(Throwable e, CommandLine line) {
    if (cutShort(e)) {
      return BROKEN; // The shell sees 130 or 143.
    }
    if (debug(line)) {
      say(line, "internal error: " + e);
      e.printStackTrace(line.getErr());
      line.getErr().flush();
    } else {
      say(line, "internal error: %s (stack trace %s)".formatted(first(e), trace(e)));
    }
    return BROKEN;
  }

  /** Whether Ctrl-C came while a library was loaded, which the Java machine then refuses. */
  private static boolean cutShort(Throwable e) {
    boolean result = false;
    for (Throwable at = e; at != null; at = at.getCause()) {
      result |= String.valueOf(at.getMessage()).contains("Shutdown in progress");
    }
    return result;
  }

  private static String first(Throwable e) {
    return e.toString().lines().findFirst().orElse("");
  }

  /** Writes the trace to a file and says where, or how else to get it. */
  private static String trace(Throwable e) {
    try {
      Path file = Files.createTempFile("model-export-", ".trace");
      try (PrintWriter out =
          new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8))) {
        e.printStackTrace(out);
      }
      return "in " + file;
    } catch (IOException unwritable) {
      return "with --debug";
    }
  }

  private static boolean debug(CommandLine line) {
    return line.getCommandSpec().root().userObject() instanceof ModelExport top && top.debug();
  }

  private static void say(CommandLine line, String message) {
    line.getErr().println(line.getCommandSpec().qualifiedName() + ": " + message);
    line.getErr().flush();
  }
}
