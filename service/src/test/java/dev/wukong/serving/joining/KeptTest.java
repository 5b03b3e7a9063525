package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class KeptTest {
  private final StateStore store = new HeapRowStore();
  private final Kept<String> kept = kept();
  private int version;

  private Kept<String> kept() {
    return new Kept<>(
        store,
        JoinTrial.VIEW,
        StateKind.JOIN,
        Kept.Form.of(
            value -> value.getBytes(StandardCharsets.UTF_8),
            (key, bytes) -> new String(bytes, StandardCharsets.UTF_8)),
        2);
  }

  private void commit() {
    List<StateChange> changes = new ArrayList<>();
    kept.drain(changes);
    store.apply(new RowCommit(new RowsView(JoinTrial.MODEL, 1, ++version), List.of()), changes);
  }

  @Test
  void putAndRemove_inOneCommit_theLastCounts() {
    kept.put(5, "a");
    kept.remove(5);
    assertThat(kept.get(5)).isNull();
    kept.put(5, "b");
    assertThat(kept.get(5)).isEqualTo("b");
    commit();
    assertThat(kept().get(5)).isEqualTo("b");
    kept.remove(5);
    kept.put(5, "c");
    kept.remove(5);
    assertThat(kept.get(5)).isNull();
    kept.fetch(new long[] {5, 5});
    assertThat(kept.get(5)).isNull();
    commit();
    assertThat(kept().get(5)).isNull();
  }

  @Test
  void drain_nothingChanged_isEmpty() {
    kept.put(5, "a");
    commit();
    assertThat(kept.get(5)).isEqualTo("a");
    List<StateChange> changes = new ArrayList<>();
    kept.drain(changes);
    assertThat(changes).isEmpty();
  }

  @Test
  void get_afterAnything_isWhatAMapHas() {
    for (long seed = 1; seed <= 100; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      TreeMap<Long, String> map = new TreeMap<>();
      for (long key = 0; key < 6; key++) {
        kept.remove(key);
      }
      for (int step = 0; step < 300; step++) {
        long key = random.nextInt(6);
        switch (random.nextInt(5)) {
          case 0 -> {
            kept.remove(key);
            map.remove(key);
          }
          case 1 -> {
            kept.put(key, "v" + step);
            map.put(key, "v" + step);
          }
          case 2 -> kept.fetch(new long[] {key, random.nextInt(6)});
          case 3 -> commit();
          default -> assertThat(kept.get(key)).as("seed %d", seed).isEqualTo(map.get(key));
        }
      }
    }
  }
}
