package dev.wukong.bundle;

import dev.wukong.data.OwnedArena;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The files of one version on the disk: exactly those of the manifest, ordinary files, with its
 * sizes and hashes.
 */
final class BundleFolder {
  private final Path folder;

  /**
   * What the bytes of a manifest were.
   *
   * @param signedBy the id of a key; empty where no signature was checked
   */
  record Proof(String manifestSha256, String signedBy) {}

  private BundleFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Verifies everything in {@code folder}; the result must be closed.
   *
   * @throws BundleException with the folder and the reason
   */
  static Bundle verify(Path folder, String model, long version, TrustedKeys trusted)
      throws IOException {
    try {
      return OwnedArena.open(arena -> verify(folder, model, version, trusted, arena));
    } catch (BundleException e) {
      throw e.at("bundle " + folder);
    }
  }

  private static Bundle verify(
      Path folder, String model, long version, TrustedKeys trusted, Arena arena)
      throws IOException {
    BundleFolder files = new BundleFolder(folder);
    byte[] json = files.read(Manifest.FILE, ManifestReader.MAX_BYTES);
    Proof proof = new Proof(Sha256.of(json), trusted.check(json, files.signature()));
    Manifest manifest;
    try {
      manifest = ManifestReader.read(json);
    } catch (BundleException e) {
      throw e.at(Manifest.FILE);
    }
    if (!manifest.model().equals(model) || manifest.version() != version) {
      throw new BundleException(
          "%s is of model '%s' version %d, expected '%s' version %d"
              .formatted(Manifest.FILE, manifest.model(), manifest.version(), model, version));
    }
    files.checkNames(manifest);
    return Bundle.of(folder, manifest, proof, files.map(manifest, arena), arena);
  }

  /** The folders inside a version's folder. */
  static List<Path> folders(Path folder) throws IOException {
    List<Path> inner = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          inner.add(entry);
        }
      }
    }
    return inner;
  }

  /** Nothing is believed of it but its form. */
  private Optional<ManifestSignature> signature() throws IOException {
    if (!Files.exists(folder.resolve(ManifestSignature.FILE), LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    byte[] json = read(ManifestSignature.FILE, ManifestSignature.MAX_BYTES);
    try {
      return Optional.of(ManifestSignature.decode(json));
    } catch (BundleException e) {
      throw e.at(ManifestSignature.FILE);
    }
  }

  private byte[] read(String name, int most) throws IOException {
    Path file = folder.resolve(name);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new BundleException("%s is missing".formatted(name));
    }
    requireOrdinary(name);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
      long size = channel.size();
      if (size > most) {
        throw new BundleException(
            "%s has %d bytes, at most %d are allowed".formatted(name, size, most));
      }
      ByteBuffer buffer = ByteBuffer.allocate((int) size);
      while (buffer.hasRemaining() && channel.read(buffer) >= 0) {}
      return buffer.array();
    }
  }

  private void checkNames(Manifest manifest) throws IOException {
    Set<String> found = new TreeSet<>();
    list(folder, "", found);
    found.remove(Manifest.FILE);
    found.remove(ManifestSignature.FILE);
    Set<String> expected = new TreeSet<>();
    manifest.files().forEach(f -> expected.add(f.name()));
    for (String name : expected) {
      if (!found.contains(name)) {
        throw new BundleException("file '%s' is missing".formatted(name));
      }
    }
    for (String name : found) {
      if (!expected.contains(name)) {
        throw new BundleException("file '%s' is not in the manifest".formatted(name));
      }
    }
    for (String needed : List.of(Precision.FP32.file(), BundleNames.VOCABULARIES)) {
      if (!expected.contains(needed)) {
        throw new BundleException("file '%s' is needed, the manifest lacks it".formatted(needed));
      }
    }
  }

  private void list(Path from, String prefix, Set<String> found) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(from)) {
      for (Path entry : entries) {
        String name = prefix + entry.getFileName();
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          if (!prefix.isEmpty()) {
            throw new BundleException("folder '%s' lies too deep".formatted(name));
          }
          list(entry, name + "/", found);
        } else {
          requireOrdinary(name);
          found.add(name);
        }
      }
    }
  }

  private void requireOrdinary(String name) throws IOException {
    Path file = folder.resolve(name);
    BasicFileAttributes attributes =
        Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (attributes.isSymbolicLink() || !attributes.isRegularFile()) {
      throw new BundleException(
          "'%s' is %s, only ordinary files are allowed"
              .formatted(name, attributes.isSymbolicLink() ? "a symbolic link" : "no file"));
    }
    if (file.getFileSystem().supportedFileAttributeViews().contains("unix")
        && Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS) instanceof Integer n
        && n > 1) {
      throw new BundleException(
          "file '%s' has %d hard links, only one is allowed".formatted(name, n));
    }
  }

  private Map<String, MemorySegment> map(Manifest manifest, Arena arena) throws IOException {
    Map<String, MemorySegment> mapped = new LinkedHashMap<>();
    for (FileEntry entry : manifest.files()) {
      MemorySegment bytes;
      try (FileChannel channel =
          FileChannel.open(
              folder.resolve(entry.name()), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
        if (channel.size() != entry.size()) {
          throw new BundleException(
              "file '%s' has %d bytes, the manifest says %d"
                  .formatted(entry.name(), channel.size(), entry.size()));
        }
        bytes = channel.map(MapMode.READ_ONLY, 0, entry.size(), arena);
      } catch (NoSuchFileException e) {
        throw new BundleException("file '%s' is missing".formatted(entry.name()), e);
      }
      String sha256 = Sha256.of(bytes);
      if (!sha256.equals(entry.sha256())) {
        throw new BundleException(
            "file '%s' has sha256 %s, the manifest says %s"
                .formatted(entry.name(), sha256, entry.sha256()));
      }
      mapped.put(entry.name(), bytes);
    }
    return mapped;
  }
}
