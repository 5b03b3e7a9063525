package dev.wukong.plan;

/**
 * What a commit has to say.
 *
 * @param rows that change
 * @param servedBytes of rows and dense weights that serve
 * @param rememberedBytes of what training remembers
 */
public record CommitSize(double rows, double servedBytes, double rememberedBytes) {
  /** A key, the length of a value and which kind it is. */
  private static final double PUT = 14;

  /** When a row was last learned from, and how often. */
  private static final double LIFE = PUT + 12;

  /** One float of the optimizer that the exporter uses for rows. */
  private static final double ROW_STATE = PUT + 4;

  /** Adam's two floats a dense weight. */
  private static final double DENSE_STATE = 8;

  /** What the join keeps of a prediction until its time is over, and says again when it goes. */
  private static final double PREDICTION = 250;

  /** Of what is said to a user's request, beside its ids. */
  private static final double SEEN = 40;

  static CommitSize of(Traffic traffic, ModelSize model, Learning learning) {
    double requests = traffic.learned() * learning.commitSeconds();
    double rows = 0;
    double bytes = 0;
    double undone = 0;
    for (TableLoad table : model.tables()) {
      double changed = changed(table, requests, traffic.seen(), learning.skew());
      rows += changed;
      bytes += changed * (4.0 * table.width() + 8);
      // The first time after each healthy state, what the row was is remembered with it.
      double commits = Math.max(1, learning.healthySeconds() / learning.commitSeconds());
      undone +=
          changed(table, requests * commits, traffic.seen(), learning.skew())
              / commits
              * (4.0 * (table.width() + 1) + PUT);
    }
    double kept =
        PREDICTION
            + 8.0 * model.contextIds()
            + traffic.seen() * (SEEN + 8.0 * model.candidateIds());
    return new CommitSize(
        rows,
        bytes + 4.0 * model.dense(),
        rows * (ROW_STATE + LIFE) + undone + DENSE_STATE * model.dense() + requests * kept);
  }

  private static double changed(TableLoad table, double requests, double seen, double skew) {
    // Nothing is learned of a request none of whose candidates is seen.
    double draws =
        requests * (Math.min(1, seen) * table.contextIds() + seen * table.candidateIds());
    return DistinctIds.of(table.rows(), skew, draws);
  }

  /** All of it. */
  public double bytes() {
    return servedBytes + rememberedBytes;
  }
}
