package dev.wukong.training;

import dev.wukong.graph.Shape;
import dev.wukong.ranker.Init;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Rows of which nothing was learned yet: their values depend on the seed, the table and the id
 * alone.
 */
record FreshRows(double deviation, long seed) implements RowOrigin {
  private static final float[] NO_STATE = {};

  @Override
  public void load(int width, long[] keys, int[] times, boolean create, Receiver rows) {
    for (int i = 0; create && i < keys.length; i++) {
      rows.row(i, row(width, keys[i]), NO_STATE);
    }
  }

  /** The row of {@code key}. */
  float[] row(int width, long key) {
    SplittableRandom random = new SplittableRandom(mix(seed, key));
    return new Init.Normal(deviation).values(Shape.of(width), random);
  }

  @Override
  public float @Nullable [] defaultRow(int table) {
    return null;
  }

  private static long mix(long seed, long key) {
    long z = seed * 0x9E3779B97F4A7C15L + key * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 30)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
