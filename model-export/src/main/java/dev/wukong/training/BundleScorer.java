package dev.wukong.training;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.UniqueRows;
import dev.wukong.data.Vocabulary;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Scores with a bundle as it lies on disk: its own predict graph over its own rows, all in memory.
 * One thread at a time.
 */
public final class BundleScorer implements AutoCloseable {
  private static final int BLOCK = 4096;

  private final InputLayout layout;
  private final FeatureEncoder encoder;
  private final OrtSession session;
  private final OrtEnvironment environment = OnnxRuntime.environment();
  private final UniqueRows known;
  private final UniqueRows batch;
  private final List<List<float[]>> rows = new ArrayList<>();
  private final Map<String, float[]> defaults;

  /** Reads the rows of {@code bundle} and loads its graph; the bundle may be closed afterwards. */
  public BundleScorer(Bundle bundle, Device device, int threads) throws IOException {
    this.layout = bundle.layout();
    this.encoder = encoder(bundle);
    this.known = new UniqueRows(layout);
    this.batch = new UniqueRows(layout);
    this.defaults = bundle.manifest().defaultRows();
    layout.groups().forEach(group -> rows.add(new ArrayList<>()));
    for (Table table : layout.tables()) {
      int group = group(table);
      bundle.forEachRow(table, (id, row) -> store(group, RowKey.of(table.ordinal(), id), row));
    }
    try (OrtSession.SessionOptions options = OnnxRuntime.options(device, threads, true)) {
      this.session = environment.createSession(bundle.graph("predict.onnx"), options);
    } catch (OrtException e) {
      throw new BundleException(
          "bundle " + bundle.folder() + ": predict.onnx does not load: " + e.getMessage(), e);
    }
  }

  /** The encoder of a bundle's schema and vocabularies. */
  public static FeatureEncoder encoder(Bundle bundle) {
    Map<String, Vocabulary> vocabularies = new LinkedHashMap<>();
    bundle
        .vocabularies()
        .forEach(
            (space, values) ->
                vocabularies.put(
                    space,
                    Vocabulary.of(bundle.manifest().schema().ofSpace(space).type(), values)));
    return new FeatureEncoder(bundle.manifest().schema(), vocabularies);
  }

  private int group(Table table) {
    return IntStream.range(0, layout.groups().size())
        .filter(g -> layout.groups().get(g).tables().contains(table))
        .findFirst()
        .orElseThrow();
  }

  private void store(int group, long key, FloatBuffer row) {
    int width = layout.groups().get(group).width();
    int place = known.slotOf(group, key) - 1;
    List<float[]> blocks = rows.get(group);
    if (place == blocks.size() * BLOCK) {
      blocks.add(new float[BLOCK * width]);
    }
    row.get(row.position(), blocks.get(place / BLOCK), place % BLOCK * width, width);
  }

  public FeatureEncoder encoder() {
    return encoder;
  }

  /** Probabilities [B, tasks] of examples that have a context row each. */
  public float[] score(EncodedExamples examples) {
    int[] contextOf = IntStream.range(0, examples.rows()).toArray();
    return probabilities(examples.context(), examples.candidate(), contextOf);
  }

  /** Checks the bundle's golden rows; returns the largest difference. */
  public double checkGolden(GoldenRows golden, String what) throws BundleException {
    return golden.check(what, layout.schema().tasks(), golden.tolerance(), this::probabilities);
  }

  /**
   * Probabilities [B, tasks].
   *
   * @param contextOf [B] each candidate's context; not looked at where the schema has no context
   *     features
   */
  public float[] probabilities(EncodedRows context, EncodedRows candidate, int[] contextOf) {
    batch.clear();
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    try {
      for (int group = 0; group < layout.groups().size(); group++) {
        for (Scope scope : Scope.values()) {
          int width = layout.slotWidth(scope, group);
          if (width > 0) {
            lookUp(inputs, scope, group, scope == Scope.CONTEXT ? context : candidate, width);
          }
        }
        inputs.put("rows." + layout.groups().get(group).name(), rows(group));
      }
      for (Scope scope : Scope.values()) {
        int width = layout.denseWidth(scope);
        if (width > 0) {
          EncodedRows encoded = scope == Scope.CONTEXT ? context : candidate;
          FloatBuffer dense =
              floats(encoded.rows() * width).put(encoded.dense(), 0, encoded.rows() * width);
          inputs.put(
              "dense." + suffix(scope),
              OnnxTensor.createTensor(environment, dense.flip(), shape(encoded.rows(), width)));
        }
      }
      if (session.getInputNames().contains("context_of")) {
        IntBuffer of = ints(contextOf.length).put(contextOf).flip();
        inputs.put("context_of", OnnxTensor.createTensor(environment, of, shape(contextOf.length)));
      }
      inputs.keySet().retainAll(session.getInputNames());
      try (OrtSession.Result result = session.run(inputs)) {
        FloatBuffer out = ((OnnxTensor) result.get("probabilities").orElseThrow()).getFloatBuffer();
        float[] probabilities = new float[out.remaining()];
        out.get(probabilities);
        return probabilities;
      }
    } catch (OrtException e) {
      throw new IllegalStateException("scoring failed: " + e.getMessage(), e);
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private void lookUp(
      Map<String, OnnxTensor> inputs, Scope scope, int group, EncodedRows encoded, int width)
      throws OrtException {
    String name = suffix(scope) + "." + layout.groups().get(group).name();
    IntBuffer slots = ints(encoded.rows() * width);
    batch.slots(scope, group, encoded, slots);
    inputs.put(
        "slots." + name,
        OnnxTensor.createTensor(environment, slots.flip(), shape(encoded.rows(), width)));
    if (layout.weighted(scope, group)) {
      FloatBuffer weights = floats(encoded.rows() * width);
      batch.weights(scope, group, encoded, weights);
      inputs.put(
          "weights." + name,
          OnnxTensor.createTensor(environment, weights.flip(), shape(encoded.rows(), width)));
    }
  }

  private OnnxTensor rows(int group) throws OrtException {
    int width = layout.groups().get(group).width();
    int size = batch.size(group) + 1;
    FloatBuffer buffer = floats(Math.multiplyExact(size, width));
    for (int slot = 1; slot < size; slot++) {
      long key = batch.key(group, slot);
      int place = known.find(group, key) - 1;
      if (place >= 0) {
        buffer.put(slot * width, rows.get(group).get(place / BLOCK), place % BLOCK * width, width);
      } else {
        float[] row = defaults.get(layout.tables().get(RowKey.table(key)).name());
        if (row != null) {
          buffer.put(slot * width, row, 0, width);
        }
      }
    }
    return OnnxTensor.createTensor(environment, buffer, shape(size, width));
  }

  private static FloatBuffer floats(int count) {
    return direct(count * Float.BYTES).asFloatBuffer();
  }

  private static IntBuffer ints(int count) {
    return direct(count * Integer.BYTES).asIntBuffer();
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  private static long[] shape(long... sizes) {
    return sizes;
  }

  private static String suffix(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
