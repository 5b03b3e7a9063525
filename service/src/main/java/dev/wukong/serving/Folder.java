package dev.wukong.serving;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

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

  /**
   * Makes it for this user alone where it is not there yet: what callers asked for lies in it. One
   * that is there stays as it is. Whether it can be used is found out by who opens it.
   */
  Path ownersAlone() {
    try {
      Path parent = path.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      Files.createDirectory(
          path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (IOException | UnsupportedOperationException e) {
      return path; // There already, or not to be had: then it is opened, and that says so.
    }
    return path;
  }
}
