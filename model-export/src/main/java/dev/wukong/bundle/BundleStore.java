package dev.wukong.bundle;

import dev.wukong.data.FileProblem;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder with all models' bundles. Any thread and any number of processes may read it while one
 * writes.
 */
public final class BundleStore {
  private final Path root;
  private final BundleTrust trust;

  /**
   * The store in {@code root}, which may not exist yet.
   *
   * @param root the folder of all models
   */
  public BundleStore(Path root) {
    this(root, BundleTrust.ANYBODY);
  }

  /** The same, from which only what is trusted is opened. */
  public BundleStore(Path root, BundleTrust trust) {
    this.root = root;
    this.trust = trust;
  }

  /** Whose bundles are opened, and how own ones are signed. */
  public BundleTrust trust() {
    return trust;
  }

  public Path root() {
    return root;
  }

  /** The names of all models with at least one complete version, sorted. */
  public List<String> models() throws IOException {
    List<String> models = new ArrayList<>();
    for (Path folder : children(root)) {
      String name = String.valueOf(folder.getFileName());
      if (BundleNames.isModel(name)
          && Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
          && !versions(name).isEmpty()) {
        models.add(name);
      }
    }
    Collections.sort(models);
    return models;
  }

  /**
   * The complete versions of a model, ascending: folders named by a number that hold a manifest.
   * They are not verified; {@link #open} does that.
   */
  public List<Long> versions(String model) throws IOException {
    return complete(folder(model));
  }

  private static List<Long> complete(Path model) throws IOException {
    List<Long> versions = new ArrayList<>();
    for (Path folder : children(model)) {
      String name = String.valueOf(folder.getFileName());
      if (BundleNames.isVersion(name)
          && Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
          && Files.isRegularFile(folder.resolve(Manifest.FILE), LinkOption.NOFOLLOW_LINKS)) {
        versions.add(Long.parseLong(name));
      }
    }
    Collections.sort(versions);
    return versions;
  }

  /** The folder of the newest complete version of a model. */
  public Optional<Path> newest(String model) throws IOException {
    List<Long> versions = versions(model);
    return versions.isEmpty() ? Optional.empty() : Optional.of(path(model, versions.getLast()));
  }

  /** The folder that a version of a model has or would have. */
  public Path path(String model, long version) throws BundleException {
    BundleNames.checkVersion(Long.toString(version));
    return folder(model).resolve(Long.toString(version));
  }

  /** Opens and verifies a version, as {@link Bundle#open}. */
  public Bundle open(String model, long version) throws IOException {
    return Bundle.open(path(model, version), trust.trusted());
  }

  /** Whether a model may be called {@code name}: 1 to 64 of a-z, 0-9, _ and -. */
  public static boolean isModel(String name) {
    return BundleNames.isModel(name);
  }

  /**
   * Finds out whether a version of a model could be written now, and leaves nothing behind. For
   * those who have hours of work to do before they write one.
   *
   * @throws BundleException where the folder cannot be written to, or another writer of the model
   *     is at work
   */
  public void checkWritable(String model) throws IOException {
    Path folder = folder(model);
    Path there = folder.toAbsolutePath();
    for (Path up = there; !Files.exists(up); up = up.getParent()) {
      there = Objects.requireNonNull(up.getParent(), "the root of all files exists");
    }
    if (!Files.isDirectory(there)) {
      throw new BundleException("%s cannot be made: %s is not a folder".formatted(folder, there));
    }
    try {
      // Tried, not asked for: rights are not all that a file system may lack.
      Files.delete(Files.createTempFile(there, BundleNames.TEMPORARY, ".check"));
    } catch (IOException e) {
      throw new BundleException(
          "bundles cannot be written to " + there + ": " + FileProblem.describe(e), e);
    }
    if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      ModelLock.take(folder).close();
    }
  }

  /** Removes every temporary folder; {@code held} shows that no writer is at work. */
  static void removeLeftovers(Path folder, ModelLock held) throws IOException {
    Objects.requireNonNull(held);
    for (Path leftover : leftovers(folder)) {
      Disk.removeTree(leftover);
    }
  }

  /** The newest complete version in a model's folder; 0 if none. */
  static long newestComplete(Path folder) throws IOException {
    List<Long> versions = complete(folder);
    return versions.isEmpty() ? 0 : versions.getLast();
  }

  /** The highest number that names anything in a model's folder, complete or not; 0 if none. */
  static long newestNumber(Path folder) throws IOException {
    long newest = 0;
    for (Path entry : children(folder)) {
      String name = String.valueOf(entry.getFileName());
      if (BundleNames.isVersion(name)) {
        newest = Math.max(newest, Long.parseLong(name));
      }
    }
    return newest;
  }

  private static List<Path> leftovers(Path folder) throws IOException {
    try (Stream<Path> entries = children(folder).stream()) {
      return entries
          .filter(p -> String.valueOf(p.getFileName()).startsWith(BundleNames.TEMPORARY))
          .toList();
    }
  }

  private Path folder(String model) throws BundleException {
    BundleNames.checkModel(model);
    return root.resolve(model);
  }

  private static List<Path> children(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      List<Path> children = new ArrayList<>();
      entries.forEach(children::add);
      Collections.sort(children);
      return children;
    }
  }
}
