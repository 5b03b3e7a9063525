package dev.wukong.serving.embedding;

import dev.wukong.simulator.Zipf;
import java.util.SplittableRandom;
import java.util.function.IntSupplier;

/**
 * Ids of a table by Zipf's law, spread over it as hashed ones are: neighbours in rank are none in
 * memory. One thread.
 */
final class SpreadIds implements IntSupplier {
  private static final double SKEW = 1.05;

  /** A prime, so that each rank has an id of its own. */
  private static final long STEP = 2_654_435_761L;

  private final int rows;
  private final Zipf zipf;
  private final SplittableRandom random;

  SpreadIds(int rows, SplittableRandom random) {
    this.rows = rows;
    this.zipf = new Zipf(rows, SKEW);
    this.random = random;
  }

  @Override
  public int getAsInt() {
    return (int) (zipf.rank(random.nextDouble()) * STEP % rows);
  }
}
