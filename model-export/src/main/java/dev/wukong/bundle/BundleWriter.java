package dev.wukong.bundle;

import dev.wukong.data.Table;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes one version of a model beside the others and, when it is whole, verified and durable,
 * renames it into place. Closed before {@link #finish}, or killed at any point, it leaves nothing
 * that looks like a bundle. One thread; one writer of a model at a time, among all processes.
 */
public final class BundleWriter implements AutoCloseable {
  private static final long PART_BYTES = 256L << 20;

  private final String model;
  private final long version;
  private final Path folder; // of the model
  private final Path temporary;
  private final ModelLock lock;
  private final long partBytes;
  private final Set<String> open = new HashSet<>();
  private final Map<String, FileEntry> files = new TreeMap<>();
  private final Map<String, RowParts> rows = new LinkedHashMap<>();
  private final Map<String, RowParts> states = new LinkedHashMap<>();
  private String manifestSha256 = "";
  private Optional<SigningKey> signer = Optional.empty();
  private boolean closed;

  private BundleWriter(
      String model, long version, Path folder, Path temporary, ModelLock lock, long partBytes) {
    this.model = model;
    this.version = version;
    this.folder = folder;
    this.temporary = temporary;
    this.lock = lock;
    this.partBytes = partBytes;
  }

  /**
   * A writer of the version after the newest one that there is or was. Leftovers of interrupted
   * writers are removed.
   *
   * @param root the folder of all models, created where missing
   * @throws BundleException if the name is not allowed or another writer of the model is at work
   */
  public static BundleWriter create(Path root, String model) throws IOException {
    return createAbove(root, model, 0);
  }

  /** The same, where the version's number is above {@code taken}, too. */
  public static BundleWriter createAbove(Path root, String model, long taken) throws IOException {
    return create(root, model, 0, taken, PART_BYTES);
  }

  /**
   * A writer of the given version.
   *
   * @throws BundleException also if the version exists
   */
  public static BundleWriter create(Path root, String model, long version) throws IOException {
    BundleNames.checkVersion(Long.toString(version));
    return create(root, model, version, PART_BYTES);
  }

  static BundleWriter create(Path root, String model, long version, long partBytes)
      throws IOException {
    return create(root, model, version, 0, partBytes);
  }

  private static BundleWriter create(
      Path root, String model, long version, long above, long partBytes) throws IOException {
    BundleNames.checkModel(model);
    Files.createDirectories(root);
    Path folder = root.toRealPath().resolve(model);
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      try {
        Files.createDirectory(folder);
      } catch (FileAlreadyExistsException e) {
        // Made by another writer meanwhile, or not a folder, as is found out below.
      }
      Disk.sync(root.toRealPath());
      if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
        throw new BundleException("%s is not a folder".formatted(folder));
      }
    }
    ModelLock lock = ModelLock.take(folder);
    try {
      BundleStore.removeLeftovers(folder, lock);
      lock.given(BundleStore.newestComplete(folder)); // Copied here, or by older writers.
      long there = BundleStore.newestNumber(folder);
      long taken = Math.max(Math.max(lock.newest(), there), above);
      long own = version == 0 ? taken + 1 : version;
      BundleNames.checkVersion(Long.toString(own));
      refuseExisting(folder.resolve(Long.toString(own)));
      Path temporary = Files.createDirectory(folder.resolve(BundleNames.TEMPORARY + own));
      return new BundleWriter(model, own, folder, temporary, lock, partBytes);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static void refuseExisting(Path target) throws BundleException {
    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new BundleException("bundle %s: the version exists".formatted(target));
    }
  }

  /** SHA-256 of the manifest that {@link #finish} wrote, 64 hex digits; empty before. */
  public String manifestSha256() {
    return manifestSha256;
  }

  /** Has {@link #finish} sign the manifest, where there is a key. */
  public void signWith(Optional<SigningKey> key) {
    signer = key;
  }

  /** The version being written. */
  public long version() {
    return version;
  }

  /** Adds a whole file, such as {@code predict.onnx}. */
  public void file(String name, byte[] bytes) throws IOException {
    try (OutputStream out = file(name)) {
      out.write(bytes);
    }
  }

  /**
   * Adds a file; the caller writes and closes it.
   *
   * @param name relative, with at most one folder
   * @throws BundleException if the name is not allowed or taken
   */
  public OutputStream file(String name) throws IOException {
    if (closed) {
      throw new IllegalStateException("the writer is closed");
    }
    BundleNames.checkFile(name);
    if (files.containsKey(name) || !open.add(name)) {
      throw new BundleException("file '%s' was written before".formatted(name));
    }
    Path path = temporary.resolve(name);
    Path parent = path.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    return HashedFile.create(
        name,
        path,
        entry -> {
          files.put(name, entry);
          open.remove(name);
        });
  }

  /** Adds {@code dense.safetensors}: dense weights and optimizer state by name. */
  public void dense(Map<String, FloatTensor> tensors) throws IOException {
    Map<String, FloatTensor> sorted = new TreeMap<>(tensors);
    List<TensorSpec> specs = new ArrayList<>();
    sorted.forEach((name, t) -> specs.add(new TensorSpec(name, DType.F32, t.shape())));
    try (SafetensorsWriter writer =
        new SafetensorsWriter(file(BundleNames.DENSE), Map.of(), specs)) {
      for (Map.Entry<String, FloatTensor> tensor : sorted.entrySet()) {
        writer.floats(tensor.getKey(), tensor.getValue().data());
      }
    }
  }

  /**
   * Adds {@code vocabularies.json}.
   *
   * @param vocabularies by id space: the values in the order of their ids
   */
  public void vocabularies(Map<String, List<String>> vocabularies) throws IOException {
    try (OutputStream out = file(BundleNames.VOCABULARIES)) {
      VocabularyFile.write(vocabularies, out);
    }
  }

  /**
   * Adds rows of a table; may be called again with higher ids.
   *
   * @param ids ascending, and above those of earlier calls
   * @param values [ids.length, table.width()] from position to limit
   * @throws IllegalArgumentException if ids do not ascend, or values do not fit or are not finite
   */
  public void rows(Table table, long[] ids, FloatBuffer values) throws IOException {
    if (values.remaining() != Math.multiplyExact(ids.length, table.width())) {
      throw new IllegalArgumentException(
          "table '%s': %d values, expected %d for %d rows of width %d"
              .formatted(
                  table.name(),
                  values.remaining(),
                  (long) ids.length * table.width(),
                  ids.length,
                  table.width()));
    }
    BundleNames.checkTable(table);
    rows.computeIfAbsent(table.name(), n -> parts(BundleNames.ROWS, table))
        .write(ids, Map.of(RowParts.ROWS, values));
  }

  /** {@link #rows(Table, long[], FloatBuffer)} of a whole array. */
  public void rows(Table table, long[] ids, float[] values) throws IOException {
    rows(table, ids, FloatBuffer.wrap(values));
  }

  /**
   * Adds optimizer state of a table's rows; may be called again with higher ids.
   *
   * @param ids ascending, and above those of earlier calls
   * @param perRow by name: the state's values, [ids.length, k] for any k
   */
  public void rowState(Table table, long[] ids, Map<String, float[]> perRow) throws IOException {
    BundleNames.checkTable(table);
    Map<String, FloatBuffer> values = new TreeMap<>();
    perRow.forEach((name, array) -> values.put(name, FloatBuffer.wrap(array)));
    states.computeIfAbsent(table.name(), n -> parts(BundleNames.STATE, table)).write(ids, values);
  }

  private RowParts parts(String where, Table table) {
    return new RowParts(where, table, partBytes, this::file);
  }

  /**
   * Writes the manifest, verifies the whole and renames it into place.
   *
   * @return the version's folder
   * @throws BundleException if the bundle would not open; nothing is left then
   */
  public Path finish(ManifestDraft draft) throws IOException {
    return finish(
        () -> {
          if (!files.containsKey(BundleNames.VOCABULARIES)) {
            vocabularies(Map.of());
          }
          List<TableRows> tables =
              draft.layout().tables().stream()
                  .sorted(Comparator.comparingInt(Table::ordinal))
                  .map(t -> new TableRows(t, count(t)))
                  .toList();
          return draft.manifest(model, version, tables, List.copyOf(files.values()));
        });
  }

  /** {@link #finish(ManifestDraft)} of one that has the files of {@code source}. */
  Path finish(Manifest source) throws IOException {
    return finish(() -> source.under(model, version, List.copyOf(files.values())));
  }

  /** Makes the manifest of all that was written. */
  @FunctionalInterface
  private interface Contents {
    Manifest manifest() throws IOException;
  }

  private Path finish(Contents contents) throws IOException {
    if (closed || !open.isEmpty()) {
      throw new IllegalStateException(
          closed ? "the writer is closed" : "files are still open: " + open);
    }
    try {
      byte[] manifest = ManifestJson.encode(contents.manifest());
      manifestSha256 = Sha256.of(manifest);
      return publish(manifest);
    } finally {
      close();
    }
  }

  private long count(Table table) {
    RowParts parts = rows.get(table.name());
    return parts == null ? 0 : parts.count();
  }

  private Path publish(byte[] manifest) throws IOException {
    Path file = temporary.resolve(Manifest.FILE);
    try (OutputStream out = HashedFile.create(Manifest.FILE, file, entry -> {})) {
      out.write(manifest);
    }
    if (signer.isPresent()) {
      Path signature = temporary.resolve(ManifestSignature.FILE);
      try (OutputStream out = HashedFile.create(ManifestSignature.FILE, signature, entry -> {})) {
        out.write(signer.get().of(manifest).encode());
      }
    }
    BundleFolder.verify(temporary, model, version, TrustedKeys.ANYBODY).close();
    for (Path inner : BundleFolder.folders(temporary)) {
      Disk.sync(inner);
    }
    Disk.sync(temporary);
    Path target = folder.resolve(Long.toString(version));
    refuseExisting(target);
    lock.given(version);
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    Disk.sync(folder);
    return target;
  }

  /** Removes what was written, unless {@link #finish} has put it into place. */
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try (lock) {
      if (Files.exists(temporary, LinkOption.NOFOLLOW_LINKS)) {
        Disk.removeTree(temporary);
      }
    }
  }
}
