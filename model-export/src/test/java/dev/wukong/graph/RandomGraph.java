package dev.wukong.graph;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A small random graph of smooth operators, some tensors used several times, some outputs of Split
 * not at all.
 */
public final class RandomGraph {
  private static final Dim BATCH = Dim.of("B");

  private final GraphBuilder g;
  private final SplittableRandom random;
  private final Map<String, PlainArray> given = new LinkedHashMap<>();
  private final List<Tensor> ends = new ArrayList<>();
  private final List<Tensor> pool = new ArrayList<>();
  private final int batch;

  private RandomGraph(DataType type, long seed) {
    this.g = new GraphBuilder("random", type);
    this.random = new SplittableRandom(seed);
    this.batch = 1 + random.nextInt(3);
    pool.add(input(Shape.of(BATCH, Dim.of(3))));
    pool.add(input(Shape.of(BATCH, Dim.of(2), Dim.of(3))));
    pool.add(parameter(Shape.of(3)));
    int steps = 3 + random.nextInt(8);
    for (int i = 0; i < steps; i++) {
      pool.addAll(step(pick()));
    }
  }

  public static RandomGraph of(DataType type, long seed) {
    return new RandomGraph(type, seed);
  }

  public GraphBuilder builder() {
    return g;
  }

  public Map<String, PlainArray> given() {
    return given;
  }

  /** The floating-point inputs and the parameters. */
  public List<Tensor> ends() {
    return ends;
  }

  /** Every tensor made, the ends first. */
  public List<Tensor> pool() {
    return pool;
  }

  /** A scalar that every tensor of the pool has a part in. */
  public Tensor loss() {
    Tensor loss = g.constant(0);
    for (Tensor tensor : pool) {
      loss = g.add(loss, g.reduceMean(g.apply(new Op.Tanh(), tensor), false));
    }
    return loss;
  }

  private List<Tensor> step(Tensor x) {
    return switch (random.nextInt(17)) {
      case 0 -> List.of(g.add(x, partner(x)));
      case 1 -> List.of(g.sub(partner(x), x));
      case 2 -> List.of(g.mul(g.apply(new Op.Tanh(), x), partner(x)));
      case 3 -> List.of(g.div(x, g.add(g.constant(1), g.apply(new Op.Softplus(), partner(x)))));
      case 4 -> List.of(g.apply(new Op.Exp(), g.apply(new Op.Tanh(), x)));
      case 5 -> {
        Tensor sum = g.add(g.mul(x, x), g.constant(1));
        yield List.of(g.apply(new Op.Sqrt(), sum), g.apply(new Op.Log(), sum));
      }
      case 6 -> List.of(g.apply(new Op.Sigmoid(), x), g.neg(x));
      case 7 ->
          x.rank() < 2
              ? List.of(g.matMul(g.reshape(x, Dim.of(1), x.dim(0)), weights(x)))
              : List.of(g.matMul(x, weights(x)));
      case 8 -> {
        Shape width = Shape.of(x.dim(-1));
        Op norm = new Op.LayerNormalization(0.1f);
        yield List.of(g.apply(norm, x, parameter(width), parameter(width)));
      }
      case 9 -> List.of(g.apply(new Op.Softmax(-1), x));
      case 10 -> {
        int axis = random.nextInt(x.rank());
        boolean keep = x.rank() == 1 || random.nextBoolean();
        yield List.of(
            random.nextBoolean() ? g.reduceSum(x, keep, axis) : g.reduceMean(x, keep, axis));
      }
      case 11 -> List.of(g.concat(-1, List.of(x, g.neg(x), x)));
      case 12 -> {
        long width = x.dim(-1).size();
        // The second part is used by nothing but the loss, or by nothing.
        yield width < 2 ? List.of() : g.split(x, -1, List.of(1L, width - 1)).subList(0, 1);
      }
      case 13 -> {
        Tensor flipped = x.rank() < 2 || !x.dim(-2).fixed() ? x : g.transposeLast(x);
        yield List.of(flipped);
      }
      case 14 -> {
        Tensor condition = g.apply(new Op.Greater(), x, g.constant(100));
        yield List.of(g.where(condition, x, g.mul(x, 3)));
      }
      case 15 -> {
        Tensor slots = g.input("slots" + given.size(), DataType.INT32, BATCH, Dim.of(2));
        given.put(slots.name(), PlainArray.of(new int[] {batch, 2}, _ -> random.nextInt(4)));
        yield List.of(g.gather(parameter(Shape.of(4, 3)), slots));
      }
      default -> List.of(g.reshape(x, x.shape().elements()));
    };
  }

  private Tensor weights(Tensor x) {
    return parameter(Shape.of(x.dim(-1), Dim.of(2 + random.nextInt(2))));
  }

  private Tensor pick() {
    List<Tensor> usable = pool.stream().filter(t -> t.rank() > 0 && t.dim(-1).fixed()).toList();
    return usable.get(random.nextInt(usable.size()));
  }

  /** Another tensor that broadcasts with {@code x}; itself where there is none. */
  private Tensor partner(Tensor x) {
    List<Tensor> fitting = pool.stream().filter(t -> broadcasts(x.shape(), t.shape())).toList();
    return fitting.get(random.nextInt(fitting.size()));
  }

  private static boolean broadcasts(Shape a, Shape b) {
    try {
      return a.broadcast(b).rank() <= 4;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private Tensor input(Shape shape) {
    Tensor tensor = g.input("in" + given.size(), g.type(), shape.dims().toArray(Dim[]::new));
    return end(tensor);
  }

  private Tensor parameter(Shape shape) {
    return end(g.parameter("p" + given.size(), shape));
  }

  private Tensor end(Tensor tensor) {
    int[] sizes =
        tensor.shape().dims().stream()
            .mapToInt(d -> (int) d.factor() * (d.fixed() ? 1 : batch))
            .toArray();
    given.put(tensor.name(), PlainArray.of(sizes, _ -> (float) random.nextGaussian(0, 0.7)));
    ends.add(tensor);
    return tensor;
  }
}
