package dev.wukong.serving.hosting;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * What can be told of a version's files without reading them: where two states are equal, no file
 * came, went or was written in between.
 *
 * @param files by name
 */
record FolderState(List<Entry> files) {
  /** That of a folder of which nothing can be told. */
  static final FolderState UNKNOWN = new FolderState(List.of());

  /** Bundles have files in folders of their own, never deeper; links are not followed. */
  private static final int DEPTH = 3;

  /**
   * One file.
   *
   * @param key tells it from another file that took its name; empty where the file system has none
   */
  record Entry(String name, long size, FileTime modified, String key) {}

  /**
   * The state of {@code folder} now.
   *
   * @throws IOException if it cannot be listed
   */
  static FolderState of(Path folder) throws IOException {
    List<Entry> files = new ArrayList<>();
    Files.walkFileTree(
        folder,
        Set.of(),
        DEPTH,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            Object key = attributes.fileKey();
            files.add(
                new Entry(
                    folder.relativize(file).toString(),
                    attributes.size(),
                    attributes.lastModifiedTime(),
                    key == null ? "" : key.toString()));
            return FileVisitResult.CONTINUE;
          }
        });
    files.sort(Comparator.comparing(Entry::name));
    return new FolderState(List.copyOf(files));
  }
}
