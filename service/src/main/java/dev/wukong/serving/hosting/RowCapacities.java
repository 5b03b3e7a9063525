package dev.wukong.serving.hosting;

import dev.wukong.data.Group;
import dev.wukong.serving.embedding.EmbeddingTier;
import dev.wukong.serving.embedding.RowFormat;
import java.util.List;

/** How many rows of each group memory has room for. */
final class RowCapacities {
  private static final int MOST = 1 << 29;

  /** Rows of a group that may come, however few there are. */
  private static final long GROWTH = 1 << 16;

  /** Bisections of the share of rows: further ones move no capacity. */
  private static final int STEPS = 60;

  private RowCapacities() {}

  /**
   * By group: all its rows where these and the default rows take up to {@code bytes} together, else
   * the largest share, the same of each group, that does with all it takes to exchange them. At
   * least one row a group, even if that is more than {@code bytes}.
   *
   * @param rows by group
   */
  static int[] of(RowFormat format, List<Group> groups, long[] rows, long bytes) {
    int[] all = share(rows, 1);
    return EmbeddingTier.bytes(format, groups, all, true) <= bytes
        ? all
        : exchanged(format, groups, rows, bytes);
  }

  /**
   * The same where rows change and others come: with room for as many again, as far as it goes.
   *
   * @param rows by group, that there are now
   */
  static int[] ofMore(RowFormat format, List<Group> groups, long[] rows, long bytes) {
    long[] more = rows.clone();
    for (int g = 0; g < more.length; g++) {
      more[g] += Math.max(more[g], GROWTH);
    }
    int[] all = share(more, 1);
    return EmbeddingTier.bytes(format, groups, all, false) <= bytes
        ? all
        : exchanged(format, groups, more, bytes);
  }

  private static int[] exchanged(RowFormat format, List<Group> groups, long[] rows, long bytes) {
    // Searched, not divided: a table's entries double all at once, at one row more.
    double fits = 0;
    double exceeds = 1;
    for (int i = 0; i < STEPS; i++) {
      double middle = (fits + exceeds) / 2;
      if (EmbeddingTier.bytes(format, groups, share(rows, middle), false) <= bytes) {
        fits = middle;
      } else {
        exceeds = middle;
      }
    }
    return share(rows, fits);
  }

  private static int[] share(long[] rows, double share) {
    int[] capacities = new int[rows.length];
    for (int g = 0; g < rows.length; g++) {
      capacities[g] = (int) Math.max(1, (double) Math.min(MOST, rows[g]) * share);
    }
    return capacities;
  }
}
