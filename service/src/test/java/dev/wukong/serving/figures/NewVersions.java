package dev.wukong.serving.figures;

import dev.wukong.figures.LoadModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Versions of a model, made out of the server's sight and moved into place when their time has
 * come. One thread.
 */
final class NewVersions {
  private final LoadModel model;
  private final Path staged;
  private final Path root;
  private final long rows;
  private long version = 1;

  /** After version 1, which lies under {@code root} already. */
  NewVersions(LoadModel model, Path staged, Path root, long rows) {
    this.model = model;
    this.staged = staged;
    this.root = root;
    this.rows = rows;
  }

  /** Writes the next {@code count} versions: new dense weights, one row in a hundred changed. */
  void prepare(int count) throws IOException {
    for (long next = version + 1; next <= version + count; next++) {
      model.write(staged, next, rows);
    }
  }

  /** Moves the next one into place; its number. */
  long next() throws IOException {
    version++;
    Files.move(folder(staged, version), folder(root, version));
    return version;
  }

  /** Removes the one before by {@code back} versions from both places, if it is there. */
  void remove(int back) throws IOException {
    Path old = folder(root, version - back);
    if (!Files.exists(old)) {
      return;
    }
    List<Path> files;
    try (Stream<Path> all = Files.walk(old)) {
      files = all.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
  }

  private Path folder(Path of, long number) {
    return of.resolve(model.title()).resolve(Long.toString(number));
  }
}
