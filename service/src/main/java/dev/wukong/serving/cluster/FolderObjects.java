package dev.wukong.serving.cluster;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Objects as files of a folder that all processes share, such as a claim in Kubernetes. */
public final class FolderObjects implements ObjectStore {
  private static final Logger log = LoggerFactory.getLogger(FolderObjects.class);

  /** Files that are not whole yet end so. */
  private static final String PART = ".part";

  private final Path root;

  /** Those in {@code root}, which may not exist yet. */
  public FolderObjects(Path root) {
    this.root = root.toAbsolutePath().normalize();
  }

  private Path path(String name) {
    Path path = root.resolve(name).normalize();
    if (!path.startsWith(root) || name.endsWith(PART)) {
      throw new IllegalArgumentException("'%s' is no name of an object".formatted(name));
    }
    return path;
  }

  @Override
  public void put(String name, Path file) throws IOException {
    Path target = path(name);
    Files.createDirectories(target.resolveSibling("."));
    Path part = target.resolveSibling(target.getFileName() + "." + UUID.randomUUID() + PART);
    try {
      var _ = Files.copy(file, part);
      sync(part, StandardOpenOption.WRITE);
      var _ = Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      sync(target.resolveSibling("."), StandardOpenOption.READ);
    } finally {
      boolean _ = Files.deleteIfExists(part);
    }
  }

  private static void sync(Path path, StandardOpenOption how) throws IOException {
    try (FileChannel channel = FileChannel.open(path, how)) {
      channel.force(true);
    }
  }

  @Override
  public void get(String name, Path file) throws IOException {
    var _ = Files.copy(path(name), file);
  }

  @Override
  public List<Stored> list(String folder) throws IOException {
    Path start = path(folder);
    if (!Files.isDirectory(start)) {
      return List.of();
    }
    List<Stored> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(start)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.toString().endsWith(PART)) {
          add(file, found);
        }
      }
    }
    return found;
  }

  private void add(Path file, List<Stored> to) throws IOException {
    try {
      to.add(
          new Stored(
              root.relativize(file).toString().replace('\\', '/'),
              Files.size(file),
              Files.getLastModifiedTime(file).toMillis()));
    } catch (NoSuchFileException e) {
      log.debug("another process has removed it meanwhile", e);
    }
  }

  @Override
  public void delete(String name) throws IOException {
    boolean _ = Files.deleteIfExists(path(name));
  }

  @Override
  public void close() {}
}
