package dev.wukong.study;

import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * The folder of one run: {@code run.json} says what it is of, {@code outcome.json} or {@code
 * failure.json} what came of it; before that, checkpoints and the curves so far. One thread.
 */
final class RunFolder {
  private static final List<String> CHECKPOINTS = List.of("last.checkpoint", "best.checkpoint");

  private static final String ERROR = "error.txt";

  private final Path folder;

  RunFolder(Path folder) {
    this.folder = folder;
  }

  Path path() {
    return folder;
  }

  /** An epoch a line. */
  LineFile<CurvePoint> curve() {
    return new LineFile<>(folder.resolve("curve.jsonl"), CurvePoint.class);
  }

  LineFile<LossPoint> losses() {
    return new LineFile<>(folder.resolve("losses.jsonl"), LossPoint.class);
  }

  /**
   * Makes it the folder of {@code identity}.
   *
   * @param redo whether a run of something else is removed
   * @throws IOException where it is of something else
   */
  void claim(Result.Identity identity, boolean redo) throws IOException {
    Files.createDirectories(folder);
    // What has ended keeps what it was made with, threads too, which make no difference.
    Optional<Result.Identity> ended = result().map(Result::identity);
    Optional<Result.Identity> found =
        ended.isPresent() ? ended : read("run.json", Result.Identity.class);
    List<String> differences = found.map(identity::differences).orElse(List.of());
    if (!differences.isEmpty() && !redo) {
      throw new IOException(
          "the run in %s is of another configuration (%s); want another --out, or --redo to make it anew"
              .formatted(folder, String.join("; ", differences)));
    }
    if (!differences.isEmpty()) {
      clear();
      ended = Optional.empty();
    }
    write("run.json", ended.orElse(identity));
    Files.deleteIfExists(folder.resolve(ERROR));
  }

  /** Writes down what broke the run, for people; the next start tries again. Gives the file. */
  Path writeError(Throwable error) throws IOException {
    StringWriter trace = new StringWriter();
    error.printStackTrace(new PrintWriter(trace));
    Path file = folder.resolve(ERROR);
    WholeFile.write(file, trace.toString());
    return file;
  }

  private void clear() throws IOException {
    // What says what the rest is of goes last: a process that dies here leaves nothing to mistake.
    List<String> last = List.of("outcome.json", "failure.json", "run.json");
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file :
          files
              .sorted(Comparator.comparingInt(f -> last.indexOf(f.getFileName().toString())))
              .toList()) {
        Files.delete(file);
      }
    }
  }

  /**
   * What came of a run that is not made now, where it ended as one of {@code identity}; empty too
   * where that is another or cannot be read.
   *
   * @param data whether the identity's data is known
   */
  Optional<Result> ended(Result.Identity identity, boolean data) {
    try {
      return result()
          .filter(
              result ->
                  (data
                          ? identity.differences(result.identity())
                          : identity.configured(result.identity()))
                      .isEmpty());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** What came of the run, where it has ended. */
  Optional<Result> result() throws IOException {
    Optional<Result> outcome = read("outcome.json", Outcome.class).map(o -> o);
    return outcome.isPresent() ? outcome : read("failure.json", Failure.class).map(f -> f);
  }

  void write(Result result) throws IOException {
    switch (result) {
      case Outcome outcome -> write("outcome.json", outcome);
      case Failure failure -> {
        // Of a model that was trained again to be exported: what it came to before is no more.
        Files.deleteIfExists(folder.resolve("outcome.json"));
        write("failure.json", failure);
      }
    }
    write("run.json", result.identity());
  }

  /** Removes what only an unfinished run needs. */
  void removeCheckpoints() throws IOException {
    for (String name : CHECKPOINTS) {
      Files.deleteIfExists(folder.resolve(name));
    }
  }

  private <T> Optional<T> read(String name, Class<T> type) throws IOException {
    Path file = folder.resolve(name);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      T value = StudyJson.LINE.readValue(Files.readString(file), type);
      if (value == null) {
        throw unreadable(file, 1, null);
      }
      return Optional.of(value);
    } catch (JacksonException e) {
      throw unreadable(file, Math.max(1, e.getLocation().getLineNr()), e);
    } catch (CharacterCodingException e) {
      throw unreadable(file, 1, e);
    }
  }

  private static IOException unreadable(Path file, int line, @Nullable Exception cause) {
    return new IOException(
        "%s cannot be read from line %d on, it may be cut short; remove it to make the run anew"
            .formatted(file, line),
        cause);
  }

  private void write(String name, Object value) throws IOException {
    WholeFile.write(folder.resolve(name), StudyJson.PRETTY.writeValueAsString(value) + "\n");
  }
}
