package dev.wukong.training;

import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import dev.wukong.ranker.Init;
import java.lang.foreign.Arena;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The dense weights of a model side by side in one stretch of memory, with their gradients and the
 * optimizer's state: the graph sees each weight as a tensor, the optimizer sees one long vector.
 * Owned by the training thread.
 */
final class WeightState {
  /** Floats to which every weight is aligned. */
  private static final int ALIGN = 16;

  /** Where a weight lies. */
  record Place(Shape shape, long offset, long length) {}

  private final Map<String, Place> places = new LinkedHashMap<>();
  private final Floats weights;
  private final Floats[] gradients;
  private final Floats[] state;
  private final HostOptimizer optimizer;
  private final Workers workers;

  /**
   * Fresh weights.
   *
   * @param shards parts in which gradients come
   */
  WeightState(
      Arena arena,
      Map<Tensor, Init> inits,
      HostOptimizer optimizer,
      Workers workers,
      int shards,
      long seed) {
    long offset = 0;
    for (Tensor tensor : inits.keySet()) {
      long length = tensor.shape().elements().size();
      places.put(tensor.name(), new Place(tensor.shape(), offset, length));
      offset += (length + ALIGN - 1) / ALIGN * ALIGN;
    }
    this.weights = new Floats(arena, offset);
    this.gradients = new Floats[shards];
    for (int i = 0; i < shards; i++) {
      gradients[i] = new Floats(arena, offset);
    }
    this.state = new Floats[optimizer.slots()];
    for (int i = 0; i < state.length; i++) {
      state[i] = new Floats(arena, offset);
    }
    this.optimizer = optimizer;
    this.workers = workers;
    inits.forEach(
        (tensor, init) -> {
          // One generator a weight, by its name: a new weight elsewhere leaves the others' start as
          // it was.
          SplittableRandom random = new SplittableRandom(seed * 31 + tensor.name().hashCode());
          buffer(tensor.name()).put(init.values(tensor.shape(), random));
        });
  }

  Map<String, Place> places() {
    return places;
  }

  FloatBuffer buffer(String name) {
    return slice(weights, name);
  }

  /** The gradient of weight {@code name} by the rows of {@code shard}. */
  FloatBuffer gradient(int shard, String name) {
    return slice(gradients[shard], name);
  }

  private FloatBuffer slice(Floats floats, String name) {
    Place place = places.get(name);
    if (place == null) {
      throw new IllegalArgumentException("no weight '" + name + "'");
    }
    return floats.buffer(place.offset(), place.length());
  }

  /** The sum of the squared gradients, each the sum of the first {@code shards}. */
  double squaredNorm(int shards) {
    double[] sums = new double[workers.count()];
    workers.range(
        weights.length(),
        Floats.TILE,
        (part, from, to) -> {
          float[] tile = new float[Floats.TILE];
          float[] other = new float[Floats.TILE];
          double sum = 0;
          for (long at = from; at < to; at += Floats.TILE) {
            int count = (int) Math.min(Floats.TILE, to - at);
            gradients(shards, at, tile, other, count);
            sum += squares(tile, count);
          }
          sums[part] = sum;
        });
    double sum = 0;
    for (double s : sums) {
      sum += s;
    }
    return sum;
  }

  static double squares(float[] tile, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += (double) tile[i] * tile[i];
    }
    return sum;
  }

  /** The gradients of a tile in {@code tile}; {@code other} is room for it. */
  private void gradients(int shards, long at, float[] tile, float[] other, int count) {
    gradients[0].get(at, tile, count);
    for (int shard = 1; shard < shards; shard++) {
      gradients[shard].get(at, other, count);
      for (int i = 0; i < count; i++) {
        tile[i] += other[i];
      }
    }
  }

  /**
   * One optimizer step with the gradients, each the sum of the first {@code shards}, multiplied by
   * {@code scale}.
   */
  void update(int shards, double scale, double rate, long step) {
    workers.range(
        weights.length(),
        Floats.TILE,
        (part, from, to) -> {
          float[] w = new float[Floats.TILE];
          float[] g = new float[Floats.TILE];
          float[] other = new float[Floats.TILE];
          float[][] s = new float[state.length][Floats.TILE];
          for (long at = from; at < to; at += Floats.TILE) {
            int count = (int) Math.min(Floats.TILE, to - at);
            weights.get(at, w, count);
            gradients(shards, at, g, other, count);
            for (int i = 0; i < s.length; i++) {
              state[i].get(at, s[i], count);
            }
            scale(g, count, (float) scale);
            optimizer.update(w, g, s, count, rate, step);
            weights.put(at, w, count);
            for (int i = 0; i < s.length; i++) {
              state[i].put(at, s[i], count);
            }
          }
        });
  }

  static void scale(float[] values, int count, float factor) {
    if (factor != 1) {
      for (int i = 0; i < count; i++) {
        values[i] *= factor;
      }
    }
  }

  /** A copy of every weight. */
  Map<String, TensorData> snapshot() {
    Map<String, TensorData> result = new LinkedHashMap<>();
    places.forEach((name, place) -> result.put(name, copy(weights, place)));
    return result;
  }

  /** A copy of slot {@code i} of the optimizer's state, by weight. */
  Map<String, TensorData> stateSnapshot(int i) {
    Map<String, TensorData> result = new LinkedHashMap<>();
    places.forEach((name, place) -> result.put(name, copy(state[i], place)));
    return result;
  }

  int stateSlots() {
    return state.length;
  }

  /** Slot {@code i} of the optimizer's state of a weight. */
  FloatBuffer state(int i, String name) {
    return slice(state[i], name);
  }

  private static TensorData copy(Floats from, Place place) {
    float[] values = new float[Math.toIntExact(place.length())];
    from.buffer(place.offset(), place.length()).get(values);
    return new TensorData.Floats(place.shape(), values);
  }
}
