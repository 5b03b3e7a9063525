package dev.wukong.ranker;

import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network under construction: the graph, what its weights start as, and what training feeds and
 * keeps beside them. Not thread-safe.
 */
public final class Network {
  /** Inputs from which a linear map keeps its weight transposed. */
  private static final long WIDE = 2048;

  /** Added to a variance before its root. */
  private static final float EPSILON = 1e-5f;

  /** The share of the batch in batch normalization's running statistics. */
  private static final double MOMENTUM = 0.1;

  /**
   * A dropout mask [B, n] that training feeds: bool, true where a value is kept.
   *
   * @param rate the share that is dropped
   */
  public record DropoutMask(Tensor mask, double rate) {}

  private final GraphBuilder graph;
  private final Mode mode;
  private final Map<Tensor, Init> trainable = new LinkedHashMap<>();
  private final Map<Tensor, Init> running = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> updates = new LinkedHashMap<>();
  private final List<DropoutMask> masks = new ArrayList<>();

  public Network(GraphBuilder graph, Mode mode) {
    this.graph = graph;
    this.mode = mode;
  }

  public GraphBuilder graph() {
    return graph;
  }

  public Mode mode() {
    return mode;
  }

  /** The trained weights, in the order they were made. */
  public Map<Tensor, Init> trainable() {
    return trainable;
  }

  /** Batch normalization's running statistics: kept and exported like weights, not trained. */
  public Map<Tensor, Init> running() {
    return running;
  }

  /** Training only: each running statistic's value after this batch. */
  public Map<Tensor, Tensor> updates() {
    return updates;
  }

  public List<DropoutMask> masks() {
    return masks;
  }

  public Tensor weight(String name, Init init, long... sizes) {
    return weight(graph.type(), name, init, sizes);
  }

  public Tensor weight(DataType type, String name, Init init, long... sizes) {
    Tensor weight = graph.parameter(name, Shape.of(sizes), type);
    trainable.put(weight, init);
    return weight;
  }

  /**
   * x W + b for x [B, in]: [B, out], all of x's type. W starts xavier-normal, b at 0. W is [in,
   * out], or [out, in] where {@code in} is large: its gradient, a product over the batch, is then
   * quicker.
   */
  public Tensor linear(Tensor x, long out) {
    Tensor weight = linearWeight(x, out);
    Tensor bias = weight(x.type(), "bias", new Init.Constant(0), out);
    return graph.gemm(x, false, weight, wide(x), bias);
  }

  /** x W: {@link #linear} without a bias. */
  public Tensor linearNoBias(Tensor x, long out) {
    return graph.gemm(x, false, linearWeight(x, out), wide(x));
  }

  private Tensor linearWeight(Tensor x, long out) {
    long in = x.dim(-1).size();
    Init init = new Init.XavierNormal(in, out);
    return wide(x)
        ? weight(x.type(), "weight", init, out, in)
        : weight(x.type(), "weight", init, in, out);
  }

  private static boolean wide(Tensor x) {
    return x.dim(-1).size() >= WIDE;
  }

  /** Layer normalization over the last axis, with scale and bias of that axis. */
  public Tensor layerNorm(Tensor x) {
    try (var _ = graph.scope("norm")) {
      long width = x.dim(-1).size();
      Tensor scale = weight("scale", new Init.Constant(1), width);
      Tensor bias = weight("bias", new Init.Constant(0), width);
      if (mode == Mode.PREDICT) {
        return graph.apply(new Op.LayerNormalization(EPSILON), x, scale, bias);
      }
      if (x.rank() == 2) {
        return graph.add(graph.mul(normal(x), scale), bias);
      }
      long count = x.dim(1).size();
      return scaled(x, repeated(scale, count), repeated(bias, count));
    }
  }

  /** x [B, n, d] normalized over its last axis, with a row [n d] each of scales and biases. */
  private Tensor scaled(Tensor x, Tensor scales, Tensor biases) {
    // [B, n d] times a row of n d is several times quicker than [B, n, d] times a row of d.
    Tensor flat = graph.reshape(normal(x), x.dim(0), x.dim(1).times(x.dim(2)));
    return graph.reshape(graph.add(graph.mul(flat, scales), biases), x.shape());
  }

  /** x normalized over its last axis, as rows of a matrix. */
  private Tensor normal(Tensor x) {
    // Scaled beside the operator, so that its output serves its own gradient. As a matrix, since
    // ONNX Runtime 1.29 joins an addition before it to it and loses the deviation on the way.
    long width = x.dim(-1).size();
    Dim count = x.shape().slice(0, x.rank() - 1).elements();
    return graph.apply(
        new Op.LayerNormalization(EPSILON),
        graph.reshape(x, count, x.dim(-1)),
        filled(1, width),
        filled(0, width));
  }

  private Tensor filled(double value, long width) {
    double[] values = new double[Math.toIntExact(width)];
    Arrays.fill(values, value);
    return graph.constant(new TensorData.Numbers(graph.type(), Shape.of(width), values));
  }

  /** x [d] as [count d]. */
  private Tensor repeated(Tensor x, long count) {
    Tensor column =
        graph.constant(
            new TensorData.Numbers(
                graph.type(), Shape.of(count, 1), new double[Math.toIntExact(count)]));
    return graph.reshape(graph.add(column, x), Dim.of(count * x.dim(0).size()));
  }

  /**
   * Layer normalization over the last axis of x [B, n, d], with scale and bias of each of the n:
   * [B, n, d].
   */
  public Tensor layerNormEach(Tensor x) {
    try (var _ = graph.scope("norm")) {
      long all = x.dim(1).size() * x.dim(2).size();
      Tensor scale = weight("scale", new Init.Constant(1), all);
      return scaled(x, scale, weight("bias", new Init.Constant(0), all));
    }
  }

  /**
   * Batch normalization of x [B, c] or [B, c, d], whose channels are axis 1, over all other axes.
   * The running variance is the unbiased one, the batch's own the biased one, as the published
   * configurations were trained.
   */
  public Tensor batchNorm(Tensor x) {
    try (var _ = graph.scope("batch_norm")) {
      Dim channels = x.dim(1);
      DataType wide = graph.wideType();
      Tensor scale = weight(wide, "scale", new Init.Constant(1), channels.size());
      Tensor bias = weight(wide, "bias", new Init.Constant(0), channels.size());
      Tensor mean = statistic("mean", 0, channels.size());
      Tensor variance = statistic("variance", 1, channels.size());
      if (mode == Mode.PREDICT) {
        // Folded before rounding: the variance alone may lie outside of what half precision holds.
        Tensor factor = graph.mul(scale, inverseDeviation(variance));
        Tensor shift = graph.sub(bias, graph.mul(mean, factor));
        Tensor scaled = graph.mul(flat(x), spread(graph.cast(factor, x.type()), x));
        Tensor shifted = graph.add(scaled, spread(graph.cast(shift, x.type()), x));
        return graph.reshape(shifted, x.shape());
      }
      // As rows of all channels' values: [B, c d] with a row of c d is several times quicker than
      // [B, c, d] with a column of c, and so is the sum over the batch.
      Tensor flat = flat(x);
      Tensor batchMean = channelMean(flat, x); // [c]
      Tensor centred = graph.sub(flat, spread(batchMean, x)); // [B, c] or [B, c d]
      Tensor batchVariance = channelMean(graph.mul(centred, centred), x); // [c]
      Integer[] over = x.rank() == 2 ? new Integer[] {0} : new Integer[] {0, 2};
      Tensor count = graph.apply(new Op.Count(List.of(over)), x);
      Tensor one = graph.constant(1);
      Tensor others = graph.sub(count, one);
      Tensor unbiased =
          graph.mul(batchVariance, graph.div(count, graph.apply(new Op.Max(), others, one)));
      // A single value, such as the last batch of an epoch may have, says nothing of a variance:
      // the running statistics then stay.
      Tensor momentum = graph.mul(graph.apply(new Op.Min(), others, one), MOMENTUM);
      updates.put(mean, blend(mean, batchMean, momentum));
      updates.put(variance, blend(variance, unbiased, momentum));
      Tensor factor = graph.mul(scale, inverseDeviation(batchVariance)); // [c]
      Tensor normal = graph.add(graph.mul(centred, spread(factor, x)), spread(bias, x));
      return graph.reshape(normal, x.shape());
    }
  }

  /** x [B, c, d] as [B, c d]; [B, c] as it is. */
  private Tensor flat(Tensor x) {
    return x.rank() == 2 ? x : graph.reshape(x, x.dim(0), x.dim(1).times(x.dim(2)));
  }

  /** The mean of each channel of x [B, c] or [B, c, d], whose rows are {@code flat}: [c]. */
  private Tensor channelMean(Tensor flat, Tensor x) {
    Tensor each = graph.reduceMean(flat, false, 0);
    return x.rank() == 2
        ? each
        : graph.reduceMean(graph.reshape(each, x.dim(1), x.dim(2)), false, 1);
  }

  /** A channel's value [c] for each of its values in a row of x: [c] or [c d]. */
  private Tensor spread(Tensor channels, Tensor x) {
    if (x.rank() == 2) {
      return channels;
    }
    Shape width = Shape.of(x.dim(2));
    double[] zeros = new double[Math.toIntExact(x.dim(2).size())];
    Tensor row = graph.constant(new TensorData.Numbers(channels.type(), width, zeros));
    Tensor column = graph.reshape(channels, x.dim(1), Dim.of(1));
    return graph.reshape(graph.add(column, row), x.dim(1).times(x.dim(2)));
  }

  private Tensor inverseDeviation(Tensor variance) {
    Tensor shifted = graph.add(variance, graph.constant(EPSILON, variance.type()));
    return graph.apply(new Op.Reciprocal(), graph.apply(new Op.Sqrt(), shifted));
  }

  private Tensor blend(Tensor old, Tensor fresh, Tensor momentum) {
    return graph.add(old, graph.mul(graph.sub(fresh, old), momentum));
  }

  private Tensor statistic(String name, float start, long width) {
    Tensor tensor = graph.parameter(name, Shape.of(width), graph.wideType());
    running.put(tensor, new Init.Constant(start));
    return tensor;
  }

  /**
   * {@code x} with a share {@code rate} of its values zeroed and the rest scaled up, in training;
   * {@code x} otherwise.
   */
  public Tensor dropout(Tensor x, double rate) {
    if (rate == 0 || mode == Mode.PREDICT) {
      return x;
    }
    Dim each = x.shape().slice(1, x.rank()).elements(); // Of one row.
    Tensor mask = graph.input("dropout." + masks.size(), DataType.BOOL, x.dim(0), each);
    masks.add(new DropoutMask(mask, rate));
    Tensor kept = graph.reshape(graph.cast(mask, graph.type()), x.shape());
    return graph.mul(x, graph.mul(kept, 1 / (1 - rate)));
  }
}
