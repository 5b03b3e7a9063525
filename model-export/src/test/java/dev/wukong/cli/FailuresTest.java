package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What is left of an exception on the terminal. */
class FailuresTest {
  private final StringWriter err = new StringWriter();

  @Command(name = "fail")
  private record Failing(Callable<Integer> body) implements Callable<Integer> {
    @Override
    public Integer call() throws Exception {
      return body.call();
    }
  }

  private int run(Callable<Integer> body, String... more) {
    CommandLine line = ModelExport.line();
    CommandLine failing = new CommandLine(new Failing(body));
    line.addSubcommand(failing);
    line.setErr(new PrintWriter(err));
    failing.setExecutionExceptionHandler(line.getExecutionExceptionHandler());
    List<String> arguments = new ArrayList<>(List.of("fail"));
    arguments.addAll(List.of(more));
    return line.execute(arguments.toArray(String[]::new));
  }

  private String said() {
    assertThat(err.toString().strip().lines()).hasSize(1);
    return err.toString().strip();
  }

  @Test
  void defect_isOneLineThatNamesTheFileWithItsTrace() throws IOException {
    assertThat(
            run(
                () -> {
                  throw new IllegalStateException("the moon is full");
                }))
        .isEqualTo(3);
    String start =
        "model-export fail: internal error: java.lang.IllegalStateException: the moon is full"
            + " (stack trace in ";
    assertThat(said()).startsWith(start).endsWith(")");
    Path trace = Path.of(said().substring(start.length(), said().length() - 1));
    try {
      assertThat(trace).content().contains("\tat " + FailuresTest.class.getName());
    } finally {
      Files.delete(trace);
    }
  }

  @Test
  void defect_debug_showsTheTrace() {
    assertThat(
            run(
                () -> {
                  throw new IllegalStateException("the moon is full");
                },
                "--debug"))
        .isEqualTo(3);
    assertThat(err.toString())
        .startsWith("model-export fail: internal error: ")
        .contains("\tat " + FailuresTest.class.getName());
  }

  @Test
  void error_thatIsNoException_isOneLineToo() throws IOException {
    assertThat(
            run(
                () -> {
                  throw new StackOverflowError();
                }))
        .isEqualTo(3);
    String start =
        "model-export fail: internal error: java.lang.StackOverflowError (stack trace in ";
    assertThat(said()).startsWith(start);
    Files.delete(Path.of(said().substring(start.length(), said().length() - 1)));
  }

  /** The shell sees how the process ended; there is nothing to mend. */
  @Test
  void library_thatCtrlCKeptFromLoading_isNoDefect() {
    assertThat(
            run(
                () -> {
                  throw new ExceptionInInitializerError(
                      new IllegalStateException("Shutdown in progress"));
                }))
        .isEqualTo(3);
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void memory_exhausted_saysWhichOptionGivesMore() {
    assertThat(
            run(
                () -> {
                  throw new OutOfMemoryError("Java heap space");
                }))
        .isEqualTo(3);
    assertThat(said())
        .startsWith("model-export fail: memory does not suffice (Java heap space)")
        .contains("-Xmx");
  }

  @Test
  void file_barePath_saysWhatIsWrong() {
    assertThat(
            run(
                () -> {
                  throw new UncheckedIOException(new NoSuchFileException("/nonexistent/x.csv"));
                }))
        .isEqualTo(1);
    assertThat(said())
        .isEqualTo("model-export fail: /nonexistent/x.csv: there is no such file or folder");
    err.getBuffer().setLength(0);
    assertThat(
            run(
                () -> {
                  throw new AccessDeniedException("/data/x.csv");
                }))
        .isEqualTo(1);
    assertThat(said()).isEqualTo("model-export fail: /data/x.csv: permission denied");
  }
}
