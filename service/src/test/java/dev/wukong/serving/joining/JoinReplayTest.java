package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.ScoredRequest;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The join of logs made by chance gives what a plain one gives, however it is cut, and ends with
 * the same state. What failed says its seed.
 */
class JoinReplayTest {
  private static final List<StateKind> KINDS =
      List.of(StateKind.JOIN, StateKind.SHOWN, StateKind.DUE, StateKind.CURSOR);

  @Test
  void take_anyLog_givesWhatAPlainJoinGives() {
    int examples = 0;
    Map<String, Integer> outcomes = new TreeMap<>();
    for (long seed = 1; seed <= 3600; seed++) {
      JoinStream stream = JoinStream.of(seed, 120);
      PlainJoin plain = new PlainJoin(stream);
      SimpleMeterRegistry registry = new SimpleMeterRegistry();
      StateStore store = new HeapRowStore();
      List<Example> found =
          uncut(
              stream,
              store,
              new JoinMeters(JoinTrial.MODEL, registry).joining(stream.policy().tasks()));
      assertSame(seed, found, plain.examples());
      for (var counted : plain.outcomes().entrySet()) {
        assertThat(labels(registry, counted.getKey()))
            .as("seed %d: %s labels", seed, counted.getKey())
            .isEqualTo((double) counted.getValue());
        outcomes.merge(counted.getKey(), counted.getValue(), Integer::sum);
      }
      assertThat(progress(store).tasks())
          .as("seed %d: candidates that wait", seed)
          .allMatch(task -> task.waiting == 0);
      for (StateKind kind : List.of(StateKind.JOIN, StateKind.SHOWN)) {
        assertThat(store.states(JoinTrial.VIEW, kind, -1, 1)).as("seed %d", seed).isEmpty();
      }
      examples += found.size();
    }
    // A run in which nothing happens proves nothing.
    assertThat(examples).isGreaterThan(40_000);
    assertThat(outcomes.keySet())
        .containsExactlyInAnyOrder(
            "duplicate", "joined", "late", "orphan", "unexposed", "ungiven", "unpaired");
    assertThat(outcomes.values()).allMatch(count -> count > 1000);
  }

  /** More of it than a page, and than is kept in memory. */
  @Test
  void take_longLog_givesWhatAPlainJoinGives() {
    int faded = 0;
    for (long seed = 1; seed <= 48; seed++) {
      JoinStream stream = JoinStream.of(seed, 1500);
      PlainJoin plain = new PlainJoin(stream);
      List<Example> expected = plain.examples();
      faded += plain.faded();
      assertSame(seed, uncut(stream, new HeapRowStore(), meters(stream)), expected);
      assertSame(seed, cut(seed, stream, new HeapRowStore(), 700), expected);
    }
    assertThat(faded).as("examples that count less because no windows open").isGreaterThan(100);
  }

  @Test
  void new_afterAnyCrash_givesTheSame_andEndsWithTheSameState() {
    for (long seed = 1; seed <= 1500; seed++) {
      JoinStream stream = JoinStream.of(seed, 150);
      StateStore whole = new HeapRowStore();
      StateStore broken = new HeapRowStore();
      List<Example> expected = uncut(stream, whole, meters(stream));
      assertSame(seed, cut(seed, stream, broken, 12), expected);
      assertThat(state(broken)).as("seed %d: state", seed).isEqualTo(state(whole));
    }
  }

  @Test
  void new_afterAnyCrash_onDisk_givesTheSame(@TempDir Path folder) {
    for (long seed = 5001; seed <= 5010; seed++) {
      JoinStream stream = JoinStream.of(seed, 300);
      StateStore whole = new HeapRowStore();
      List<Example> expected = uncut(stream, whole, meters(stream));
      try (RocksRowStore store = RocksRowStore.open(folder.resolve("store" + seed))) {
        assertSame(seed, cut(seed, stream, store, 12), expected);
        assertThat(state(store)).as("seed %d: state", seed).isEqualTo(state(whole));
      }
    }
  }

  private static JoinProgress progress(StateStore store) {
    long[] key = {Join.FIRST_CURSOR};
    return JoinProgress.of(
        Objects.requireNonNull(store.state(JoinTrial.VIEW, StateKind.CURSOR, key).getFirst()));
  }

  private static JoinMeters meters(JoinStream stream) {
    return new JoinMeters(JoinTrial.MODEL, new SimpleMeterRegistry())
        .joining(stream.policy().tasks());
  }

  private static double labels(SimpleMeterRegistry registry, String outcome) {
    return registry.get("wukong.join.labels").tag("outcome", outcome).counter().count();
  }

  private static void assertSame(long seed, List<Example> found, List<Example> expected) {
    assertThat(found.stream().map(JoinTrial::fully).toList())
        .as("seed %d", seed)
        .containsExactlyElementsOf(expected.stream().map(JoinTrial::fully).toList());
    for (int i = 0; i < found.size(); i++) {
      // Both have sums in another order.
      assertThat(found.get(i).within())
          .as("seed %d: in time, example %d", seed, i)
          .isCloseTo(expected.get(i).within(), within(1e-9));
      assertThat(found.get(i).weight())
          .as("seed %d: weight, example %d", seed, i)
          .isCloseTo(expected.get(i).weight(), within(1e-5f));
    }
  }

  /** All in one go, with one commit at the end. */
  private static List<Example> uncut(JoinStream stream, StateStore store, JoinMeters meters) {
    Map<Long, ScoredRequest> requests = stream.requests();
    Join join = new Join(store, JoinTrial.VIEW, stream.policy(), requests::get, meters);
    List<Example> examples = new ArrayList<>();
    stream.events().forEach(event -> join.take(event, examples::add));
    commit(store, join, 1);
    return examples;
  }

  /**
   * With commits in between, and crashes after which another one goes on from the last commit; what
   * that needs no more is trimmed from the log.
   *
   * @param apart how many events there are between two of either, on average
   */
  private static List<Example> cut(long seed, JoinStream stream, StateStore store, int apart) {
    SplittableRandom random = new SplittableRandom(seed);
    JoinMeters meters = meters(stream);
    Map<Long, ScoredRequest> requests = stream.requests();
    long[] trimmed = {0};
    ScoredEvents scored =
        position -> {
          assertThat(position).as("seed %d: trimmed", seed).isGreaterThanOrEqualTo(trimmed[0]);
          return requests.get(position);
        };
    List<Example> examples = new ArrayList<>();
    int committed = 0;
    int kept = 0;
    long version = 0;
    int next = 0;
    Join join = new Join(store, JoinTrial.VIEW, stream.policy(), scored, meters, 3, 2);
    while (next < stream.events().size()) {
      Logged event = stream.events().get(next++);
      join.take(event, examples::add);
      switch (random.nextInt(2 * apart)) {
        case 0 -> {
          examples.subList(kept, examples.size()).clear();
          next = committed;
          if (random.nextBoolean()) {
            int _ = join.drain().size(); // It crashed when it was about to write.
          }
          join = new Join(store, JoinTrial.VIEW, stream.policy(), scored, meters, 3, 2);
        }
        case 1, 2 -> {
          commit(store, join, ++version);
          committed = next;
          kept = examples.size();
          trimmed[0] = join.oldestNeeded();
        }
        default -> {}
      }
    }
    commit(store, join, ++version);
    return examples;
  }

  private static void commit(StateStore store, Join join, long version) {
    store.apply(new RowCommit(new RowsView(JoinTrial.MODEL, 1, version), List.of()), join.drain());
  }

  private static Map<String, String> state(StateStore store) {
    Map<String, String> all = new TreeMap<>();
    for (StateKind kind : KINDS) {
      store.forEachState(
          JoinTrial.VIEW,
          kind,
          (key, value) -> all.put(kind + " " + key, HexFormat.of().formatHex(value)));
    }
    return all;
  }
}
