package dev.wukong.training;

import ai.onnxruntime.OrtException;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.util.stream.IntStream;

/**
 * Scores with a bundle as it lies on disk: its own predict graph over its own rows, all in memory.
 * One thread at a time.
 */
public final class BundleScorer implements AutoCloseable {
  private final FeatureEncoder encoder;
  private final Precision precision;
  private final BundleRows rows;
  private final GraphScorer graph;

  /** Reads the rows of {@code bundle} and loads its graph; the bundle may be closed afterwards. */
  public BundleScorer(Bundle bundle, Device device, int threads) throws IOException {
    this(bundle, Precision.FP32, device, threads);
  }

  /**
   * The same with the graph of {@code precision}.
   *
   * @throws BundleException if the bundle has no such graph, or it does not load
   */
  public BundleScorer(Bundle bundle, Precision precision, Device device, int threads)
      throws IOException {
    this(bundle, precision, loadable(bundle, precision, device), device, threads);
  }

  private BundleScorer(Bundle bundle, Precision precision, byte[] model, Device device, int threads)
      throws IOException {
    this.encoder = encoder(bundle);
    this.precision = precision;
    this.rows = new BundleRows(bundle);
    try {
      this.graph = new GraphScorer(model, bundle.layout(), precision, device, threads);
    } catch (OrtException e) {
      throw unloadable(bundle, precision, e);
    }
  }

  /**
   * The same with the graph as its file has it, for comparison with others who run it so: half
   * precision is slow on the CPU then.
   *
   * @throws BundleException if the bundle has no such graph, or it does not load
   */
  public static BundleScorer asWritten(
      Bundle bundle, Precision precision, Device device, int threads) throws IOException {
    return new BundleScorer(bundle, precision, bundle.graph(precision.file()), device, threads);
  }

  /**
   * The bundle's rows with another graph of the same inputs, in single precision.
   *
   * @throws BundleException if it does not load
   */
  public static BundleScorer with(byte[] graph, Bundle bundle, Device device, int threads)
      throws IOException {
    return new BundleScorer(bundle, Precision.FP32, graph, device, threads);
  }

  private static byte[] loadable(Bundle bundle, Precision precision, Device device)
      throws BundleException {
    byte[] model = bundle.graph(precision.file());
    try {
      return precision.on(device, model);
    } catch (BundleException e) {
      throw unloadable(bundle, precision, e);
    }
  }

  private static BundleException unloadable(Bundle bundle, Precision precision, Exception cause) {
    return new BundleException(
        "bundle %s: %s does not load: %s"
            .formatted(bundle.folder(), precision.file(), cause.getMessage()),
        cause);
  }

  /** The encoder of a bundle's schema and vocabularies. */
  public static FeatureEncoder encoder(Bundle bundle) {
    return bundle.encoder();
  }

  public FeatureEncoder encoder() {
    return encoder;
  }

  /** Probabilities [B, tasks] of examples that have a context row each. */
  public float[] score(EncodedExamples examples) {
    int[] contextOf = IntStream.range(0, examples.rows()).toArray();
    return probabilities(examples.context(), examples.candidate(), contextOf);
  }

  /**
   * Checks the golden rows of the bundle it was made of, within the tolerance of its graph; returns
   * the largest difference.
   */
  public double checkGolden(Bundle bundle) throws BundleException {
    double tolerance = bundle.manifest().tolerance(precision).orElseThrow();
    return bundle.checkGolden(precision.file(), tolerance, this::probabilities);
  }

  /**
   * Probabilities [B, tasks].
   *
   * @param contextOf [B] each candidate's context; not looked at where the schema has no context
   *     features
   */
  public float[] probabilities(EncodedRows context, EncodedRows candidate, int[] contextOf) {
    rows.clear();
    return graph.probabilities(rows, context, candidate, contextOf);
  }

  @Override
  public void close() {
    graph.close();
  }
}
