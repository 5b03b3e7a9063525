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
  public static final float EPSILON = 1e-5f;

  /** The share of the batch in batch normalization's running statistics. */
  public static final double MOMENTUM = 0.1;

  /**
   * A dropout mask that training feeds: bool, true where a value is kept.
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

  private Tensor weight(DataType type, String name, Init init, long... sizes) {
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
    long in = x.dim(-1).size();
    boolean wide = in >= WIDE;
    Init init = new Init.XavierNormal(in, out);
    Tensor weight =
        wide
            ? weight(x.type(), "weight", init, out, in)
            : weight(x.type(), "weight", init, in, out);
    Tensor bias = weight(x.type(), "bias", new Init.Constant(0), out);
    return graph.gemm(x, false, weight, wide, bias);
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
      // Scaled beside the operator, so that its output serves its own gradient. As rows of a
      // matrix,
      // since ONNX Runtime 1.29 joins an addition before it to it and loses the deviation on the
      // way.
      Tensor rows = x;
      if (x.rank() > 2) {
        rows = graph.reshape(x, x.shape().slice(0, x.rank() - 1).elements(), x.dim(-1));
      }
      Tensor normal =
          graph.apply(new Op.LayerNormalization(EPSILON), rows, filled(1, width), filled(0, width));
      if (x.rank() == 2) {
        return graph.add(graph.mul(normal, scale), bias);
      }
      // [B, n d] times a row of n d is several times quicker than [B, n, d] times a row of d.
      long count = x.dim(1).size();
      Tensor flat = graph.reshape(normal, x.dim(0), x.dim(1).times(x.dim(2)));
      Tensor scaled = graph.add(graph.mul(flat, repeated(scale, count)), repeated(bias, count));
      return graph.reshape(scaled, x.shape());
    }
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
   * Batch normalization of x [B, h] over the batch. The running variance is the unbiased one, the
   * batch's own the biased one, as the published configurations were trained.
   */
  public Tensor batchNorm(Tensor x) {
    try (var _ = graph.scope("batch_norm")) {
      long width = x.dim(-1).size();
      DataType wide = graph.wideType();
      Tensor scale = weight(wide, "scale", new Init.Constant(1), width);
      Tensor bias = weight(wide, "bias", new Init.Constant(0), width);
      Tensor mean = statistic("mean", 0, width);
      Tensor variance = statistic("variance", 1, width);
      if (mode == Mode.PREDICT) {
        // Folded before rounding: the variance alone may lie outside of what half precision holds.
        Tensor factor = graph.mul(scale, inverseDeviation(variance));
        Tensor shift = graph.sub(bias, graph.mul(mean, factor));
        return graph.add(graph.mul(x, graph.cast(factor, x.type())), graph.cast(shift, x.type()));
      }
      Tensor batchMean = graph.reduceMean(x, false, 0); // [h]
      Tensor centred = graph.sub(x, batchMean); // [B, h]
      Tensor batchVariance = graph.reduceMean(graph.mul(centred, centred), false, 0); // [h]
      Tensor count = graph.apply(new Op.Count(List.of(0)), x);
      Tensor one = graph.constant(1);
      // A batch of one row has no unbiased variance: the running one then takes the biased value.
      Tensor unbiased =
          graph.mul(
              batchVariance,
              graph.div(count, graph.apply(new Op.Max(), graph.sub(count, one), one)));
      updates.put(mean, blend(mean, batchMean));
      updates.put(variance, blend(variance, unbiased));
      Tensor factor = graph.mul(scale, inverseDeviation(batchVariance)); // [h]
      return graph.add(graph.mul(centred, factor), bias);
    }
  }

  private Tensor inverseDeviation(Tensor variance) {
    Tensor shifted = graph.add(variance, graph.constant(EPSILON, variance.type()));
    return graph.apply(new Op.Reciprocal(), graph.apply(new Op.Sqrt(), shifted));
  }

  private Tensor blend(Tensor old, Tensor fresh) {
    return graph.add(graph.mul(old, 1 - MOMENTUM), graph.mul(fresh, MOMENTUM));
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
    Tensor mask =
        graph.input("dropout." + masks.size(), DataType.BOOL, x.shape().dims().toArray(Dim[]::new));
    masks.add(new DropoutMask(mask, rate));
    return graph.mul(x, graph.mul(graph.cast(mask, graph.type()), 1 / (1 - rate)));
  }
}
