package dev.wukong.study;

import java.util.ArrayList;
import java.util.List;

/**
 * Examples of like probabilities: what was predicted and what happened.
 *
 * @param count examples
 */
public record CalibrationBin(double meanProbability, double meanLabel, long count) {
  /** How many bins there are, where there are as many examples. */
  static final int BINS = 20;

  /** Bins of as many examples each, by ascending probability; equal ones stay in their order. */
  static List<CalibrationBin> of(Scored scored) {
    int[] order = scored.order();
    List<CalibrationBin> result = new ArrayList<>();
    int bins = Math.min(BINS, order.length);
    for (int b = 0; b < bins; b++) {
      int from = (int) ((long) order.length * b / bins);
      int to = (int) ((long) order.length * (b + 1) / bins);
      double weight = 0;
      double predicted = 0;
      double positive = 0;
      for (int i = from; i < to; i++) {
        int at = order[i];
        weight += scored.weight(at);
        predicted += scored.weight(at) * (double) scored.probability(at);
        positive += scored.weight(at) * (double) scored.label(at);
      }
      result.add(new CalibrationBin(predicted / weight, positive / weight, to - from));
    }
    return result;
  }
}
