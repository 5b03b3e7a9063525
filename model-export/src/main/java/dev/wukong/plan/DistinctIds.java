package dev.wukong.plan;

/** How many different ids there are among many that are drawn, the more frequent the lower. */
final class DistinctIds {
  /** Ranks that are looked at one by one; those beyond are as their neighbours. */
  private static final int SINGLE = 10_000;

  /** Of those beyond, ranges that each count as their middle. */
  private static final int RANGES = 400;

  private DistinctIds() {}

  /**
   * The number that is to be expected.
   *
   * @param ids that there are
   * @param skew the exponent of Zipf's law; 0: all are as frequent
   * @param draws how many are drawn
   */
  static double of(long ids, double skew, double draws) {
    double weight = sum(ids, rank -> Math.pow(rank, -skew));
    // Of an id of probability p, that it is among them; precise for small p, too.
    return sum(
        ids, rank -> -Math.expm1(draws * Math.log1p(-Math.min(1, chance(rank, skew) / weight))));
  }

  private static double chance(double rank, double skew) {
    return Math.pow(rank, -skew);
  }

  /** A sum over all ranks. */
  private interface OfRank {
    double at(double rank);
  }

  private static double sum(long ids, OfRank of) {
    double sum = 0;
    long single = Math.min(ids, SINGLE);
    for (long rank = 1; rank <= single; rank++) {
      sum += of.at((double) rank);
    }
    double step = Math.log((double) ids / single) / RANGES;
    double from = (double) single;
    for (int i = 1; step > 0 && i <= RANGES; i++) {
      double to = single * Math.exp(i * step);
      sum += (to - from) * of.at(Math.sqrt(from * to) + 0.5);
      from = to;
    }
    return sum;
  }
}
