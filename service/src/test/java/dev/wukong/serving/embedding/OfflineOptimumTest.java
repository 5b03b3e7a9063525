package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class OfflineOptimumTest {
  private static int[][] ones(int[][] requests) {
    int[][] positions = new int[requests.length][];
    for (int r = 0; r < requests.length; r++) {
      positions[r] = new int[requests[r].length];
      Arrays.fill(positions[r], 1);
    }
    return positions;
  }

  /** The textbook's string: nine faults with three frames where each must be taken in; not here. */
  @Test
  void hits_textbook_isAsThere() {
    int[] string = {7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1};
    int[][] requests = new int[string.length][];
    for (int i = 0; i < string.length; i++) {
      requests[i] = new int[] {string[i]};
    }
    assertThat(OfflineOptimum.hits(requests, ones(requests), 8, 3, 0, 20)).isBetween(11L, 13L);
    assertThat(OfflineOptimum.hits(requests, ones(requests), 8, 8, 0, 20)).isEqualTo(14);
  }

  /** Beside every choice there is of what to keep, on strings so short that all can be tried. */
  @RepeatedTest(value = 60, name = "seed {currentRepetition}")
  void hits_anyRequests_isTheMostThatAnyChoiceGives(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    int ids = random.nextInt(2, 6);
    int[][] requests = new int[random.nextInt(1, 9)][];
    for (int r = 0; r < requests.length; r++) {
      requests[r] = random.ints(random.nextInt(1, 4), 0, ids).distinct().toArray();
    }
    int capacity = random.nextInt(0, ids);
    int from = random.nextInt(requests.length);
    assertThat(OfflineOptimum.hits(requests, ones(requests), ids, capacity, 0, requests.length))
        .isEqualTo(best(requests, capacity, 0, Set.of(), new HashMap<>()));
    assertThat(OfflineOptimum.hits(requests, ones(requests), ids, capacity, from, from)).isZero();
  }

  private static int best(
      int[][] requests, int capacity, int at, Set<Integer> kept, Map<List<Object>, Integer> known) {
    if (at == requests.length) {
      return 0;
    }
    List<Object> state = List.of(at, kept);
    Integer before = known.get(state);
    if (before != null) {
      return before;
    }
    int hits = 0;
    Set<Integer> may = new HashSet<>(kept);
    for (int id : requests[at]) {
      hits += kept.contains(id) ? 1 : 0;
      may.add(id);
    }
    List<Integer> all = new ArrayList<>(may);
    int most = 0;
    for (int choice = 0; choice < 1 << all.size(); choice++) {
      if (Integer.bitCount(choice) <= capacity) {
        Set<Integer> next = new HashSet<>();
        for (int i = 0; i < all.size(); i++) {
          if (((choice >> i) & 1) == 1) {
            next.add(all.get(i));
          }
        }
        most = Math.max(most, best(requests, capacity, at + 1, next, known));
      }
    }
    known.put(state, hits + most);
    return hits + most;
  }
}
