package dev.wukong.serving.retraining;

import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * That operators have paused a model's training, as a file beside what they asked of its versions:
 * while it is there, training is paused, over restarts.
 */
public final class PauseMark {
  private final Optional<Path> file;

  /**
   * The mark of {@code model}.
   *
   * @param folder made where it is needed; empty: what is asked for ends with the process
   */
  public PauseMark(Optional<Path> folder, String model) {
    this.file = folder.map(path -> path.resolve(model + ".paused"));
  }

  /** Whether it is there. */
  public boolean isSet() {
    return file.isPresent() && Files.exists(file.get());
  }

  /**
   * Makes it; it is on the disk on return.
   *
   * @throws IOException where that fails
   */
  void set() throws IOException {
    if (file.isPresent()) {
      Path parent = file.get().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      WholeFile.write(file.get(), "Operators have paused training; ResumeTraining ends that.\n");
    }
  }

  /**
   * Takes it away.
   *
   * @throws IOException where that fails
   */
  void clear() throws IOException {
    if (file.isPresent()) {
      Files.deleteIfExists(file.get());
    }
  }
}
