package dev.wukong.serving.cluster;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Where checkpoints lie: files by name, with '/' between its parts. One is there as a whole or not
 * at all, and never changes but by being put again. Any thread, any process.
 */
public interface ObjectStore extends AutoCloseable {
  /**
   * Puts what {@code file} has.
   *
   * @throws IOException if it is not known to be there
   */
  void put(String name, Path file) throws IOException;

  /**
   * Writes what is there to {@code file}, which is not there yet.
   *
   * @throws java.nio.file.NoSuchFileException if there is none of this name
   * @throws IOException if it cannot be read
   */
  void get(String name, Path file) throws IOException;

  /**
   * What is there below {@code folder}.
   *
   * @throws IOException if that cannot be told
   */
  List<Stored> list(String folder) throws IOException;

  /**
   * Something that is there.
   *
   * @param name in full
   * @param putMs when it was put: milliseconds since 1970-01-01 UTC
   */
  record Stored(String name, long size, long putMs) {}

  /**
   * Removes what is there; nothing where there is none.
   *
   * @throws IOException if it may still be there
   */
  void delete(String name) throws IOException;

  @Override
  void close();
}
