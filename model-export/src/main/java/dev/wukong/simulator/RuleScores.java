package dev.wukong.simulator;

import dev.wukong.data.Scope;
import java.util.Arrays;
import java.util.List;

/**
 * The sum of many weighted rules, quickly: what the context says is looked up once a request, and
 * rules that look at as many of the candidate's attributes lie together, so that their loops are
 * alike. Safe for all threads.
 */
final class RuleScores {
  private static final int FIRST_OF_CANDIDATE = RuleFeature.ITEM.place() * RuleLevels.ATTRIBUTES;

  private final double[] cells; // all tables, one after another, each times its rule's weight
  private final int[] offsets; // [rules] where a rule's table begins
  private final int[] starts; // [orders + 2] the first rule with so many attributes of a candidate
  private final int[] contextStarts; // [rules + 1]
  private final int[] contextSlots;
  private final int[] contextStrides;
  private final int[] candidateSlots;
  private final int[] candidateStrides;

  RuleScores(List<Rule> given, double[] weights) {
    for (RuleFeature feature : RuleFeature.values()) {
      boolean late = feature.place() >= RuleFeature.ITEM.place();
      if (late != (feature.scope() == Scope.CANDIDATE)) {
        throw new IllegalStateException(feature + " stands among features of the other scope");
      }
    }
    int count = given.size();
    Integer[] sorted = new Integer[count];
    Arrays.setAll(sorted, i -> i);
    Arrays.sort(sorted, (a, b) -> ofCandidate(given.get(a)) - ofCandidate(given.get(b)));
    int total = given.stream().mapToInt(rule -> rule.table().length).sum();
    this.cells = new double[total];
    this.offsets = new int[count];
    int most = given.stream().mapToInt(RuleScores::ofCandidate).max().orElse(0);
    this.starts = new int[most + 2];
    Arrays.fill(starts, count);
    this.contextStarts = new int[count + 1];
    int slots = given.stream().mapToInt(Rule::order).sum();
    int late = given.stream().mapToInt(RuleScores::ofCandidate).sum();
    this.contextSlots = new int[slots - late];
    this.contextStrides = new int[slots - late];
    this.candidateSlots = new int[late];
    this.candidateStrides = new int[late];
    int cell = 0;
    int context = 0;
    int candidate = 0;
    for (int r = 0; r < count; r++) {
      Rule rule = given.get(sorted[r]);
      int own = ofCandidate(rule);
      starts[own] = Math.min(starts[own], r);
      offsets[r] = cell;
      for (double value : rule.table()) {
        cells[cell++] = value * weights[sorted[r]];
      }
      for (int i = 0; i < rule.order(); i++) {
        if (rule.slots()[i] >= FIRST_OF_CANDIDATE) {
          candidateSlots[candidate] = rule.slots()[i];
          candidateStrides[candidate++] = rule.strides()[i];
        } else {
          contextSlots[context] = rule.slots()[i];
          contextStrides[context++] = rule.strides()[i];
        }
      }
      contextStarts[r + 1] = context;
    }
    for (int own = most; own >= 0; own--) {
      starts[own] = Math.min(starts[own], starts[own + 1]);
    }
  }

  private static int ofCandidate(Rule rule) {
    return (int) Arrays.stream(rule.slots()).filter(slot -> slot >= FIRST_OF_CANDIDATE).count();
  }

  int rules() {
    return offsets.length;
  }

  /**
   * What the context's levels say of each rule.
   *
   * @param places [rules], written: the cell of each rule as far as the context decides it
   * @return the sum of the rules that the context decides alone
   */
  double context(byte[] levels, int[] places) {
    for (int r = 0; r < offsets.length; r++) {
      int place = offsets[r];
      for (int i = contextStarts[r]; i < contextStarts[r + 1]; i++) {
        place += contextStrides[i] * levels[contextSlots[i]];
      }
      places[r] = place;
    }
    double sum = 0;
    for (int r = 0; r < starts[1]; r++) {
      sum += cells[places[r]];
    }
    return sum;
  }

  /** The sum of the other rules, of which {@code places} says what the context decided. */
  double candidate(byte[] levels, int[] places) {
    double sum = 0;
    int at = 0;
    for (int own = 1; own < starts.length - 1; own++) {
      for (int r = starts[own]; r < starts[own + 1]; r++) {
        int place = places[r];
        for (int end = at + own; at < end; at++) {
          place += candidateStrides[at] * levels[candidateSlots[at]];
        }
        sum += cells[place];
      }
    }
    return sum;
  }
}
