package dev.wukong.bench;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The sources that figures are of.
 *
 * @param commit the full hash; empty where it is not known
 * @param changed whether the working tree differs from it
 */
public record Checkout(Optional<String> commit, boolean changed) {
  /** What git says of {@code folder}. */
  public static Checkout of(Path folder) {
    return new Checkout(
        Machine.output(folder, "git", "rev-parse", "HEAD"),
        Machine.output(folder, "git", "status", "--porcelain")
            .filter(changes -> !changes.isEmpty())
            .isPresent());
  }
}
