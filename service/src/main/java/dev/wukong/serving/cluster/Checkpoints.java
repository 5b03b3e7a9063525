package dev.wukong.serving.cluster;

import dev.wukong.bundle.Sha256;
import dev.wukong.serving.cluster.Checkpoint.Part;
import dev.wukong.serving.cluster.ObjectStore.Stored;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.FileSystemUtils;

/**
 * The checkpoints of a model in an object store. Files that several have are there once, so that a
 * new one costs what has changed. One thread at a time; any number of processes.
 */
public final class Checkpoints implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Checkpoints.class);

  /** So long an object stays that no checkpoint names: one may be on its way that does. */
  private static final Duration YOUNG = Duration.ofHours(2);

  /** What a store has besides its data, and makes anew. */
  private static final Set<String> PASSED = Set.of("LOCK", "IDENTITY");

  private static final String LOGS = "LOG";

  private final ObjectStore objects;
  private final String model;
  private final int kept;

  /** Hashes of files that do not change any more, by name, size and time. */
  private final Map<String, String> known = new HashMap<>();

  /** Those of {@code model}, of which so many are kept. */
  public Checkpoints(ObjectStore objects, String model, int kept) {
    this.objects = objects;
    this.model = model;
    this.kept = kept;
  }

  @Override
  public void close() {
    objects.close();
  }

  /** All, the newest first. */
  List<Stored> all() throws IOException {
    return objects.list(Checkpoint.folder(model)).stream()
        .filter(one -> one.name().endsWith(".json"))
        .sorted(Comparator.comparing(Stored::name).reversed())
        .toList();
  }

  /** The newest that can be read; empty where there is none. */
  Optional<Checkpoint> newest(Path work) throws IOException {
    for (Stored one : all()) {
      try {
        return Optional.of(read(one, work));
      } catch (CommitException e) {
        log.warn("{}: {}", one.name(), e.getMessage());
      }
    }
    return Optional.empty();
  }

  private Checkpoint read(Stored one, Path work) throws IOException {
    if (one.size() > Checkpoint.MOST_BYTES) {
      throw new CommitException(
          "it has %d bytes, allowed are %d".formatted(one.size(), Checkpoint.MOST_BYTES));
    }
    Files.createDirectories(work);
    Path file = Files.createTempFile(work, "checkpoint", ".json");
    Files.delete(file);
    try {
      objects.get(one.name(), file);
      Checkpoint read = Checkpoint.of(Files.readAllBytes(file));
      if (!read.name().equals(one.name())) {
        throw new CommitException("it says that it is " + read.name());
      }
      return read;
    } finally {
      boolean _ = Files.deleteIfExists(file);
    }
  }

  /**
   * Puts the store in {@code copy}, which nobody has open or changes, and forgets old checkpoints.
   *
   * @param order after the commits that it holds
   */
  Checkpoint put(Path copy, CommitOrder order, String replica, long nowMs) throws IOException {
    Set<String> there = new HashSet<>();
    objects.list(Checkpoint.objects(model)).forEach(one -> there.add(one.name()));
    List<Part> parts = new ArrayList<>();
    for (Path file : files(copy)) {
      Part part = new Part(name(file), Files.size(file), digest(file));
      if (there.add(part.object(model))) {
        objects.put(part.object(model), file);
      }
      parts.add(part);
    }
    Checkpoint made =
        new Checkpoint(
            Checkpoint.FORMAT,
            model,
            order.epoch(),
            order.sequence(),
            order.next(),
            nowMs,
            replica,
            parts);
    Path file = Files.createTempFile(copy, "checkpoint", ".json");
    Files.write(file, made.bytes());
    objects.put(made.name(), file);
    Files.delete(file);
    forget(nowMs, copy);
    return made;
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(Files::isRegularFile)
          .filter(file -> !PASSED.contains(name(file)) && !name(file).startsWith(LOGS))
          .sorted()
          .toList();
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private String digest(Path file) throws IOException {
    String key =
        "%s %d %d"
            .formatted(name(file), Files.size(file), Files.getLastModifiedTime(file).toMillis());
    // Files of rows are written once; others are few and small.
    String digest = name(file).endsWith(".sst") ? known.get(key) : null;
    if (digest == null) {
      digest = sha256(file);
      known.put(key, digest);
    }
    return digest;
  }

  private static String sha256(Path file) throws IOException {
    MessageDigest digest = Sha256.digest();
    try (InputStream in = Files.newInputStream(file);
        OutputStream to = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
      long _ = in.transferTo(to);
    }
    return Sha256.hex(digest);
  }

  /** Removes all but the newest checkpoints, and objects that none of these names. */
  private void forget(long nowMs, Path work) throws IOException {
    List<Stored> all = all();
    for (Stored old : all.subList(Math.min(kept, all.size()), all.size())) {
      objects.delete(old.name());
    }
    Set<String> named = new HashSet<>();
    for (Stored one : all.subList(0, Math.min(kept, all.size()))) {
      try {
        read(one, work).files().forEach(part -> named.add(part.object(model)));
      } catch (CommitException e) {
        log.warn("{}: {}; nothing is removed that it may name", one.name(), e.getMessage());
        return;
      }
    }
    for (Stored object : objects.list(Checkpoint.objects(model))) {
      if (!named.contains(object.name()) && object.putMs() < nowMs - YOUNG.toMillis()) {
        objects.delete(object.name());
      }
    }
  }

  /**
   * Has the store in {@code folder}, which nobody has open, be that of the newest checkpoint that
   * is whole; what else is in the folder, in folders of its own, stays.
   *
   * @return the checkpoint; empty where there is none, and then nothing has changed
   */
  public Optional<String> restore(Path folder) throws IOException {
    Path beside = folder.resolveSibling(name(folder) + ".restoring");
    for (Stored one : all()) {
      boolean _ = FileSystemUtils.deleteRecursively(beside);
      Files.createDirectories(beside);
      try {
        Checkpoint checkpoint = read(one, beside);
        log.info("model '{}': {} is read, of commit {}", model, one.name(), checkpoint.sequence());
        fetch(checkpoint, beside);
        replace(folder, beside);
        return Optional.of(one.name());
      } catch (CommitException e) {
        log.warn("{} is passed over: {}", one.name(), e.getMessage());
      }
    }
    boolean _ = FileSystemUtils.deleteRecursively(beside);
    return Optional.empty();
  }

  private void fetch(Checkpoint checkpoint, Path to) throws IOException {
    for (Part part : checkpoint.files()) {
      Path file = to.resolve(part.name());
      try {
        objects.get(part.object(model), file);
      } catch (NoSuchFileException e) {
        throw new CommitException("its file %s is not there".formatted(part.name()), e);
      }
      if (Files.size(file) != part.size() || !sha256(file).equals(part.sha256())) {
        throw new CommitException("its file %s is damaged".formatted(part.name()));
      }
    }
  }

  private static void replace(Path folder, Path by) throws IOException {
    Files.createDirectories(folder);
    // A store without its list of files is none, and is restored again.
    boolean _ = Files.deleteIfExists(folder.resolve("CURRENT"));
    try (Stream<Path> old = Files.list(folder)) {
      for (Path file : old.filter(Files::isRegularFile).toList()) {
        Files.delete(file);
      }
    }
    for (Path file : files(by)) {
      if (!name(file).equals("CURRENT")) {
        var _ = Files.move(file, folder.resolve(name(file)));
      }
    }
    var _ = Files.move(by.resolve("CURRENT"), folder.resolve("CURRENT"));
    boolean _ = FileSystemUtils.deleteRecursively(by);
  }

  /** Whether there is a store in {@code folder}. */
  public static boolean hasStore(Path folder) {
    return Files.exists(folder.resolve("CURRENT"));
  }
}
