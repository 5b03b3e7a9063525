package dev.wukong.standalone;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.Precision;
import dev.wukong.data.WholeFile;
import dev.wukong.onnx.ModelProto;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes a bundle as one ONNX file with its tables inside, and the JSON that explains its ids. */
public final class StandaloneExport {
  /** An ONNX file is one message of protocol buffers, which has no more bytes. */
  private static final long MAX_BYTES = Integer.MAX_VALUE;

  /** Room for what the ids go through and for the file's properties. */
  private static final long REST = 1 << 20;

  private static final String SUFFIX = ".onnx";

  private StandaloneExport() {}

  /**
   * What was written.
   *
   * @param ids the JSON beside the model
   */
  public record Written(Path model, Path ids, StandaloneInputs inputs) {}

  /**
   * Writes {@code model} and, beside it, {@code <model without .onnx>.ids.json}; existing files are
   * replaced.
   *
   * @param model its name ends in {@code .onnx}
   * @param batchContext whether each candidate brings its own context
   * @param cpu whether it is written for a CPU, where it is then quicker; else for any device
   * @throws BundleException if the bundle has no graph of {@code precision}, or is too large for
   *     one file
   */
  public static Written write(
      Bundle bundle, Precision precision, Path model, boolean batchContext, boolean cpu)
      throws IOException {
    return write(bundle, precision, model, batchContext, cpu, MAX_BYTES);
  }

  static Written write(
      Bundle bundle,
      Precision precision,
      Path model,
      boolean batchContext,
      boolean cpu,
      long maxBytes)
      throws IOException {
    String name = String.valueOf(model.getFileName());
    if (!name.endsWith(SUFFIX)) {
      throw new IllegalArgumentException(
          "the model's file is '%s', want a name that ends in %s".formatted(name, SUFFIX));
    }
    Path folder = model.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "the model's folder '%s' does not exist".formatted(folder));
    }
    Path ids =
        model.resolveSibling(name.substring(0, name.length() - SUFFIX.length()) + ".ids.json");
    StandaloneInputs inputs = StandaloneInputs.of(bundle, batchContext);
    StandaloneGraph graph = new StandaloneGraph(bundle, precision, inputs, cpu);
    checkSize(bundle, precision, graph.rowBytes(), maxBytes);
    ModelProto whole = graph.build(metadata(bundle.manifest(), inputs));
    write(model, whole::writeTo);
    write(ids, out -> IdsFile.write(bundle, inputs, out));
    return new Written(model, ids, inputs);
  }

  private static void checkSize(Bundle bundle, Precision precision, long rows, long maxBytes)
      throws BundleException {
    Manifest manifest = bundle.manifest();
    long dense = bundle.graph(precision.file()).length;
    if (rows + dense + REST > maxBytes) {
      throw new BundleException(
          ("model '%s' version %d: its tables take %,d bytes and its graph %,d; one ONNX file may"
                  + " have %,d, tables inside included")
              .formatted(manifest.model(), manifest.version(), rows, dense, maxBytes - REST));
    }
  }

  private static Map<String, String> metadata(Manifest manifest, StandaloneInputs inputs) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("version", Long.toString(manifest.version()));
    metadata.put("schema_id", manifest.schema().id());
    metadata.put("inputs", IdsFile.inputs(inputs));
    return metadata;
  }

  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** No server ever reads half a file. */
  private static void write(Path file, Content content) throws IOException {
    try (WholeFile whole = WholeFile.create(file);
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(whole.channel()))) {
      content.writeTo(out);
      out.flush();
      whole.commit();
    }
  }
}
