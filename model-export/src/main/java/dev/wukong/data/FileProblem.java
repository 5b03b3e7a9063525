package dev.wukong.data;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** What went wrong with a file, in words for people. */
public final class FileProblem {
  private FileProblem() {}

  /** The message; those of file systems are often a bare path, and the class says what is wrong. */
  public static String describe(Exception e) {
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

  /** {@code e} with the name of {@code file} before a message that names none. */
  static IOException named(Path file, IOException e) {
    return e instanceof FileSystemException ? e : new IOException(file + ": " + e.getMessage(), e);
  }
}
