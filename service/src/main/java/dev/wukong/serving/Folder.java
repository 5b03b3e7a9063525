package dev.wukong.serving;

import java.nio.file.Path;

/**
 * A folder as a setting names it: relative to the working directory, also above it. (Spring would
 * look a {@code Path} up among its resources first, and refuse one that begins with two dots.)
 */
public record Folder(Path path) {
  /**
   * The folder called {@code text}.
   *
   * @throws java.nio.file.InvalidPathException if nothing can be called so
   */
  public static Folder of(String text) {
    return new Folder(Path.of(text));
  }
}
