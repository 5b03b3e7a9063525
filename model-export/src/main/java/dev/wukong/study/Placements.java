package dev.wukong.study;

/**
 * Of which examples an AUC is made. Each positive is placed above a share of the negatives and each
 * negative below a share of the positives; both have the AUC as their mean, and how they vary is
 * how the AUC does (DeLong et al., Biometrics 1988).
 *
 * @param sums by block, of the placements weighed by an example's share of its class; twice the AUC
 *     in all. Empty where an AUC is not defined
 * @param shares by block, of the examples in their classes; 2 in all
 */
public record Placements(double[] sums, double[] shares) {
  static final Placements NONE = new Placements(new double[0], new double[0]);

  /**
   * The placements of all examples.
   *
   * @param blockOf the block of each example
   */
  static Placements of(Scored scored, int[] blockOf, int blocks) {
    double positive = 0;
    double negative = 0;
    for (int i = 0; i < scored.size(); i++) {
      positive += scored.label(i) == 1 ? scored.weight(i) : 0;
      negative += scored.label(i) == 1 ? 0 : scored.weight(i);
    }
    if (positive == 0 || negative == 0) {
      return NONE;
    }
    double[] sums = new double[blocks];
    double[] shares = new double[blocks];
    int[] order = scored.order();
    double below = 0; // The weight of negatives with smaller probabilities.
    double above = positive; // That of positives with greater ones.
    for (int from = 0, to; from < order.length; from = to) {
      float probability = scored.probability(order[from]);
      double tiedPositive = 0;
      double tiedNegative = 0;
      for (to = from; to < order.length && scored.probability(order[to]) == probability; to++) {
        int i = order[to];
        tiedPositive += scored.label(i) == 1 ? scored.weight(i) : 0;
        tiedNegative += scored.label(i) == 1 ? 0 : scored.weight(i);
      }
      above -= tiedPositive;
      double overNegatives = (below + tiedNegative / 2) / negative;
      double underPositives = (above + tiedPositive / 2) / positive;
      below += tiedNegative;
      for (int at = from; at < to; at++) {
        int i = order[at];
        boolean clicked = scored.label(i) == 1;
        double share = scored.weight(i) / (clicked ? positive : negative);
        shares[blockOf[i]] += share;
        sums[blockOf[i]] += share * (clicked ? overNegatives : underPositives);
      }
    }
    return new Placements(sums, shares);
  }
}
