package dev.wukong.bundle;

import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Schema;
import dev.wukong.data.Table;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A verified bundle, its files mapped into memory until it is closed. Any thread may read; nobody
 * may while or after it is closed. Its files must not be changed in place while it is open.
 */
public final class Bundle implements AutoCloseable {
  private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

  private final Path folder;
  private final Manifest manifest;
  private final BundleFolder.Proof proof;
  private final InputLayout layout;
  private final Map<String, MemorySegment> files;
  private final FeatureEncoder encoder;
  private final RowFiles rows = new RowFiles();
  private final RowFiles states = new RowFiles();
  private final Arena arena;

  private Bundle(
      Path folder,
      Manifest manifest,
      BundleFolder.Proof proof,
      Map<String, MemorySegment> files,
      Arena arena)
      throws BundleException {
    this.folder = folder;
    this.manifest = manifest;
    this.proof = proof;
    this.layout = manifest.layout();
    this.files = files;
    this.arena = arena;
    this.encoder = readVocabularies();
  }

  /**
   * Opens and verifies {@code <root>/<model>/<version>}: the manifest, the size and hash of every
   * file, rows, and graphs; golden rows are the caller's, since they need an engine.
   *
   * @throws BundleException with the folder, the file and the reason
   */
  public static Bundle open(Path folder) throws IOException {
    return open(folder, TrustedKeys.ANYBODY);
  }

  /**
   * The same for a bundle that must be signed, where {@code trusted} has keys: its manifest is not
   * even read before that is known.
   */
  public static Bundle open(Path folder, TrustedKeys trusted) throws IOException {
    Path name = folder.toAbsolutePath().normalize();
    Path parent = name.getParent();
    Path last = name.getFileName();
    Path model = parent == null ? null : parent.getFileName();
    if (parent == null || last == null || model == null) {
      throw new BundleException("bundle %s: not a path of a model's version".formatted(folder));
    }
    long version;
    try {
      BundleNames.checkModel(model.toString());
      version = BundleNames.checkVersion(last.toString());
    } catch (BundleException e) {
      throw e.at("bundle " + folder);
    }
    for (Path link : List.of(parent, name)) {
      if (Files.isSymbolicLink(link)) {
        throw new BundleException(
            "bundle %s: '%s' is a symbolic link".formatted(folder, link.getFileName()));
      }
    }
    if (!Files.isDirectory(name, LinkOption.NOFOLLOW_LINKS)) {
      throw new BundleException("bundle %s: no such folder".formatted(folder));
    }
    return BundleFolder.verify(name, model.toString(), version, trusted);
  }

  /** Checks what is inside the files, whose sizes and hashes are right already. */
  static Bundle of(
      Path folder,
      Manifest manifest,
      BundleFolder.Proof proof,
      Map<String, MemorySegment> files,
      Arena arena)
      throws BundleException {
    Bundle bundle = new Bundle(folder, manifest, proof, files, arena);
    bundle.readParts();
    for (String name : files.keySet()) {
      try {
        if (name.endsWith(".onnx")) {
          OnnxScan.check(bundle.bytes(name), name, manifest.opset());
        } else if (name.endsWith(".safetensors")) {
          SafetensorsFile.of(bundle.segment(name));
        }
      } catch (BundleException e) {
        throw e.at(name);
      }
    }
    return bundle;
  }

  private FeatureEncoder readVocabularies() throws BundleException {
    try {
      Schema schema = manifest.schema();
      MemorySegment json = segment(BundleNames.VOCABULARIES);
      return new FeatureEncoder(schema, VocabularyFile.read(json, schema));
    } catch (BundleException e) {
      throw e.at(BundleNames.VOCABULARIES);
    }
  }

  private void readParts() throws BundleException {
    Map<String, Table> tables = new LinkedHashMap<>();
    layout.tables().forEach(t -> tables.put(t.name(), t));
    // In the order of their names, so that the parts of a table come in the order of their numbers.
    for (String name : new TreeSet<>(files.keySet())) {
      BundleNames.Part part = BundleNames.part(name);
      if (part == null) {
        continue;
      }
      Table table = tables.get(part.table());
      if (table == null) {
        throw new BundleException(
            "file '%s' is of table '%s', the schema has %s"
                .formatted(name, part.table(), tables.keySet()));
      }
      try {
        RowFiles of = part.folder().equals(BundleNames.ROWS) ? rows : states;
        of.add(table, part.number(), SafetensorsFile.of(segment(name)));
      } catch (BundleException e) {
        throw e.at(name);
      }
    }
    for (TableRows table : manifest.tables()) {
      rows.checkRows(table.table(), table.rows());
    }
  }

  /** Where it lies. */
  public Path folder() {
    return folder;
  }

  public Manifest manifest() {
    return manifest;
  }

  /** SHA-256 of the manifest's bytes, 64 hex digits. */
  public String manifestSha256() {
    return proof.manifestSha256();
  }

  /** The id of the key whose signature was checked; empty where none was. */
  public String signedBy() {
    return proof.signedBy();
  }

  /** How encoded features become the graphs' inputs. */
  public InputLayout layout() {
    return layout;
  }

  /** The encoder of its schema and vocabularies, which outlives it. */
  public FeatureEncoder encoder() {
    return encoder;
  }

  /** By id space: the values in the order of their ids. */
  public Map<String, List<String>> vocabularies() {
    Map<String, List<String>> values = new TreeMap<>();
    encoder.vocabularies().forEach((space, vocabulary) -> values.put(space, vocabulary.values()));
    return Collections.unmodifiableMap(values);
  }

  /** The names of the graphs in it, such as {@code predict.onnx}. */
  public List<String> graphs() {
    List<String> graphs = new ArrayList<>();
    for (String name : new TreeSet<>(files.keySet())) {
      if (name.endsWith(".onnx")) {
        graphs.add(name);
      }
    }
    return graphs;
  }

  /**
   * The bytes of a graph, hashed once more: a session made from them is made from what was
   * verified.
   *
   * @param name such as {@code predict.onnx}
   * @throws BundleException if there is no such graph, or its file was changed meanwhile
   */
  public byte[] graph(String name) throws BundleException {
    FileEntry entry = manifest.file(name).orElse(null);
    if (entry == null || !name.endsWith(".onnx")) {
      throw new BundleException(
          "bundle %s: there is no graph '%s', only %s".formatted(folder, name, graphs()));
    }
    byte[] bytes = bytes(name);
    if (!Sha256.of(bytes).equals(entry.sha256())) {
      throw new BundleException(
          "bundle %s: file '%s' was changed after it was verified".formatted(folder, name));
    }
    return bytes;
  }

  /**
   * Runs the golden rows through {@code scorer}, as {@link GoldenRows#check}; returns the largest
   * difference.
   *
   * @param graph the graph being checked, for the message
   * @param tolerance the largest allowed absolute difference: the golden rows' own for the graph
   *     they were made with, wider for one of lower precision
   */
  public double checkGolden(String graph, double tolerance, GoldenScorer scorer)
      throws BundleException {
    String what = "'%s' version %d, %s".formatted(manifest.model(), manifest.version(), graph);
    return manifest.golden().check(what, manifest.schema().tasks(), tolerance, scorer);
  }

  /** Visits every stored row of {@code table}, in the order of the ids. */
  public void forEachRow(Table table, RowVisitor visitor) {
    rows.forEachRow(table, visitor);
  }

  /** Visits the rows of {@code table} a file at a time; the values' only name is {@code rows}. */
  public void forEachPart(Table table, PartVisitor visitor) {
    rows.forEachPart(table, visitor);
  }

  /**
   * Copies the row of {@code id}; whether it has one.
   *
   * @param row as wide as the table
   */
  public boolean findRow(Table table, long id, float[] row) {
    return rows.find(table, RowParts.ROWS, id, row);
  }

  /**
   * Copies what the optimizer keeps of the row of {@code id}; whether it keeps something.
   *
   * @param state takes as much as it keeps
   */
  public boolean findState(Table table, long id, float[] state) {
    return states.find(table, RowParts.STATE, id, state);
  }

  /** Visits the optimizer state of the rows of {@code table} a file at a time. */
  public void forEachState(Table table, PartVisitor visitor) {
    states.forEachPart(table, visitor);
  }

  /** Copies of all F32 tensors of {@code dense.safetensors}; empty without that file. */
  public Map<String, FloatTensor> dense() throws BundleException {
    Map<String, FloatTensor> dense = new LinkedHashMap<>();
    if (files.containsKey(BundleNames.DENSE)) {
      for (TensorView tensor : tensors(BundleNames.DENSE).tensors()) {
        dense.put(tensor.spec().name(), tensor.toFloatTensor());
      }
    }
    return dense;
  }

  /** A safetensors file of the bundle, mapped as long as the bundle is open. */
  public SafetensorsFile tensors(String name) throws BundleException {
    return SafetensorsFile.of(segment(name));
  }

  private byte[] bytes(String name) throws BundleException {
    MemorySegment segment = segment(name);
    if (segment.byteSize() > MAX_ARRAY) {
      throw new BundleException(
          "file '%s' has %d bytes, at most %d are allowed"
              .formatted(name, segment.byteSize(), MAX_ARRAY));
    }
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }

  private MemorySegment segment(String name) throws BundleException {
    MemorySegment segment = files.get(name);
    if (segment == null) {
      throw new BundleException("file '%s' is missing".formatted(name));
    }
    return segment;
  }

  /** Unmaps its files; buffers given out before must not be used any more. */
  @Override
  public void close() {
    arena.close();
  }
}
