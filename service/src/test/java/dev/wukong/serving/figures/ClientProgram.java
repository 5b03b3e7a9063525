package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A public client as it is installed on this machine.
 *
 * @param name for people
 * @param command the program, and what always stands before its arguments
 */
record ClientProgram(String name, List<String> command) {
  private static final int MINUTES = 5;

  /** What Go writes into its programs. */
  private static final Pattern GO_MODULE = Pattern.compile("\nmod\t\\S+\t(v\\S+)\t");

  ClientProgram {
    command = List.copyOf(command);
  }

  /**
   * What one run said.
   *
   * @param status of its end; -1 if it had to be killed
   * @param out standard output
   * @param err standard error
   */
  record Said(int status, String out, String err) {
    /** The end of what was said, for a message. */
    String end() {
      String all = (out.strip() + "\n" + err.strip()).strip();
      return "status %d: %s".formatted(status, all.substring(Math.max(0, all.length() - 600)));
    }
  }

  /**
   * The program of option {@code name}, a command whose parts blanks separate, or else {@code file}
   * on the PATH.
   *
   * @param install says how to get it
   * @throws BenchmarkException if it is not there
   */
  static ClientProgram find(BenchmarkContext context, String name, String file, String install)
      throws BenchmarkException {
    String given = context.options().get(name);
    List<String> command = List.of((given == null ? file : given).strip().split(" +", -1));
    String program = command.getFirst();
    boolean there =
        program.contains("/")
            ? Files.isExecutable(Path.of(program))
            : Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    if (!there) {
      throw new BenchmarkException(
          "%s is missing: there is no program '%s'%s; %s; option %s=COMMAND names another place"
              .formatted(
                  name, program, program.contains("/") ? "" : " on the PATH", install, name));
    }
    return new ClientProgram(name, command);
  }

  /** Runs it and waits for its end. */
  Said run(Path folder, String input, String... arguments)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(command);
    all.addAll(List.of(arguments));
    Path out = folder.resolve(name + ".out");
    Path err = folder.resolve(name + ".err");
    Path in = folder.resolve(name + ".in");
    Files.writeString(in, input);
    Process process =
        new ProcessBuilder(all)
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    int status = -1;
    if (process.waitFor(MINUTES, TimeUnit.MINUTES)) {
      status = process.exitValue();
    } else {
      process.destroyForcibly().waitFor();
    }
    return new Said(status, Files.readString(out), Files.readString(err));
  }

  /** The version of its module, for a program written in Go; "unknown" where it does not say. */
  String goVersion() {
    Path file = Path.of(command.getLast());
    if (!command.getLast().contains("/")) {
      file =
          Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1))
              .map(folder -> Path.of(folder, command.getLast()))
              .filter(Files::isExecutable)
              .findFirst()
              .orElse(file);
    }
    try (InputStream in = Files.newInputStream(file)) {
      Matcher found = GO_MODULE.matcher(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
      return found.find() ? found.group(1) : "unknown";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
