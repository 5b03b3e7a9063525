package dev.wukong.cli;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.runtime.DeviceException;
import dev.wukong.training.NotFiniteException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
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
    say(line, describe(cause));
    if (debug(line)) {
      e.printStackTrace(line.getErr());
      line.getErr().flush();
    }
    return REFUSED;
  }

  /** The message; those of file systems are often a bare path, and the class says what is wrong. */
  private static String describe(Exception e) {
    String message = String.valueOf(e.getMessage());
    if (!(e instanceof FileSystemException files) || files.getReason() != null) {
      return message;
    }
    return switch (files) {
      case NoSuchFileException _ -> message + ": there is no such file or folder";
      case AccessDeniedException _ -> message + ": permission denied";
      case FileAlreadyExistsException _ -> message + ": it exists already";
      case NotDirectoryException _ -> message + ": it is no folder";
      default -> message + ": " + files.getClass().getSimpleName();
    };
  }

  private static int broken(Throwable e, CommandLine line) {
    if (debug(line)) {
      say(line, "internal error: " + e);
      e.printStackTrace(line.getErr());
      line.getErr().flush();
    } else {
      say(line, "internal error: %s (stack trace %s)".formatted(first(e), trace(e)));
    }
    return BROKEN;
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
