package dev.wukong.ranker;

import dev.wukong.graph.Shape;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/** How a weight starts. */
public sealed interface Init {
  record Constant(float value) implements Init {}

  record Normal(double deviation) implements Init {}

  /** Uniform from -{@code bound} to {@code bound}. */
  record Uniform(double bound) implements Init {}

  /** Normal with variance 2 / (fanIn + fanOut). */
  record XavierNormal(long fanIn, long fanOut) implements Init {}

  /** Fresh values of {@code shape}, row-major, drawn from {@code random}. */
  default float[] values(Shape shape, RandomGenerator random) {
    float[] values = new float[Math.toIntExact(shape.elements().size())];
    switch (this) {
      case Constant(var value) -> Arrays.fill(values, value);
      case Normal(var deviation) -> fill(values, random, deviation);
      case Uniform(var bound) -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
        }
      }
      case XavierNormal(var fanIn, var fanOut) ->
          fill(values, random, Math.sqrt(2.0 / (fanIn + fanOut)));
    }
    return values;
  }

  private static void fill(float[] values, RandomGenerator random, double deviation) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
  }
}
