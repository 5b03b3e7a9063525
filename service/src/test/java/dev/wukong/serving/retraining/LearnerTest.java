package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePhase;
import dev.wukong.serving.gating.GatePolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(Lifecycle.PER_CLASS)
class LearnerTest {
  private static final int WIDTH = 8;
  private static final int REQUESTS = 300;

  private Bundle bundle = unopened();

  @SuppressWarnings("NullAway") // Set before all tests.
  private static Bundle unopened() {
    return null;
  }

  @BeforeAll
  void train(@TempDir Path folder) throws Exception {
    bundle = Bundle.open(LearningModel.train(folder).resolve(LearningModel.NAME).resolve("1"));
  }

  @AfterAll
  void close() {
    bundle.close();
  }

  private static long count(Map<String, String> state, String prefix) {
    return state.keySet().stream().filter(key -> key.startsWith(prefix)).count();
  }

  /** Thrown away between any two events, and with commits made and not written. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void take_crashesAnywhere_isTheSameToTheBit(long seed, @TempDir Path folder) throws Exception {
    LearnerTrial trial = new LearnerTrial(bundle, LearnerTrial.options());
    List<Logged> log = trial.log(seed, REQUESTS);
    Map<String, String> expected;
    try (HeapRowStore store = new HeapRowStore()) {
      assertThat(trial.learn(store, log, 0, seed)).isZero();
      expected = LearnerTrial.state(store, WIDTH);
    }
    // Or there would be nothing to lose.
    assertThat(count(expected, "row ")).isGreaterThan(100);
    assertThat(count(expected, StateKind.OPTIMIZER + " ")).isGreaterThan(count(expected, "row "));
    assertThat(count(expected, StateKind.DENSE + " ")).isPositive();
    assertThat(count(expected, "SIGHTS")).isPositive();
    assertThat(count(expected, StateKind.UNDO + " ")).isPositive();
    assertThat(count(expected, StateKind.HEALTHY + " ")).isPositive();
    assertThat(count(expected, StateKind.ERASED + " ")).isPositive();
    String expiry = expected.getOrDefault(StateKind.PROGRESS + " 1", "");
    assertThat(Long.parseLong(expiry.substring(16, 32), 16)).isEqualTo(trial.rows(expected));
    assertThat(trial.promoted()).isPositive();
    assertThat(trial.takenBack()).isPositive();

    try (RocksRowStore store = RocksRowStore.open(folder)) {
      int crashes = trial.learn(store, log, 40, seed);

      assertThat(crashes).isGreaterThan(20);
      assertThat(LearnerTrial.state(store, WIDTH)).isEqualTo(expected);
    }
  }

  /**
   * What is scored in quarantine, or was taken back, is held in memory and not learned from: rows
   * that expire then must be gone for the healthy state, too.
   */
  @ParameterizedTest
  @ValueSource(longs = 12)
  void take_crashesWhileLabelsAreStrangeAndRowsExpire_isTheSameToTheBit(
      long seed, @TempDir Path folder) throws Exception {
    LearnerTrial trial = new LearnerTrial(bundle, LearnerTrial.patient());
    List<Logged> usual = trial.log(seed, 3 * REQUESTS, false);
    List<Logged> log = LearnerTrial.noClicks(usual, usual.size() / 3, 2 * usual.size() / 3);
    Map<String, String> expected;
    try (HeapRowStore store = new HeapRowStore()) {
      assertThat(trial.learn(store, log, 0, seed)).isZero();
      expected = LearnerTrial.state(store, WIDTH);
    }
    assertThat(trial.takenBack()).isPositive();
    assertThat(trial.examples("quarantined")).isPositive();

    try (RocksRowStore store = RocksRowStore.open(folder)) {
      assertThat(trial.learn(store, log, 200, seed)).isPositive();

      assertThat(LearnerTrial.state(store, WIDTH)).isEqualTo(expected);
    }
  }

  /** Examples come all the time; none of them is learned. */
  @Test
  void exportable_labelsAreStrange_isTheHealthyState() throws Exception {
    LearnerTrial trial = new LearnerTrial(bundle, LearnerTrial.patient());
    List<Logged> usual = trial.log(12, 3 * REQUESTS, false);
    List<Logged> log = LearnerTrial.noClicks(usual, usual.size() / 3, 2 * usual.size() / 3);
    int asked = 0;
    try (HeapRowStore store = new HeapRowStore();
        Learner learner = trial.learner(store, log)) {
      while (learner.next() < log.size()) {
        if (!learner.take(log.get(Math.toIntExact(learner.next())))) {
          continue;
        }
        LearnerTrial.apply(store, learner.commit(1).commit());
        if (learner.gate().phase() == GatePhase.QUARANTINED
            && learner.mark().examples() > learner.generations().getLast().examples()) {
          assertThat(learner.exportable()).isTrue();
          asked++;
        }
      }
      assertThat(learner.hasLearned()).isTrue();
    }
    assertThat(asked).isPositive();
  }

  @Test
  void take_rowsNotLearnedFromForLong_goAlsoThoseOfTheBundle() throws Exception {
    LearnerTrial trial = new LearnerTrial(bundle, LearnerTrial.options());
    List<Logged> log = trial.log(5, REQUESTS);
    try (HeapRowStore store = new HeapRowStore()) {
      int _ = trial.learn(store, log, 0, 5);

      Map<String, String> state = LearnerTrial.state(store, WIDTH);
      assertThat(state.entrySet())
          .filteredOn(e -> e.getKey().startsWith(StateKind.OPTIMIZER + " "))
          .filteredOn(e -> e.getValue().isEmpty())
          .isNotEmpty()
          .allSatisfy(
              e ->
                  assertThat(state)
                      .doesNotContainKey(
                          "row " + e.getKey().substring(e.getKey().indexOf(' ') + 1)));
    }
  }

  /**
   * Rows and dense weights, what optimizers keep of them, and which rows there are. In the logs of
   * these seeds, labels are missing nowhere so long that the gate takes them for strange.
   */
  @ParameterizedTest
  @ValueSource(longs = {8, 9, 10})
  void commit_stepsBack_isWhatTheHealthyStateWas(long seed) throws Exception {
    LearnerTrial trial =
        new LearnerTrial(bundle, LearnerTrial.staying(GatePolicy.usual(GateMode.DIRECT)));
    List<Logged> log = trial.log(seed, REQUESTS, false);
    List<Logged> first = until(log, log.size() / 2, Event.Order.ACCEPT, 0);
    try (HeapRowStore store = new HeapRowStore()) {
      int _ = trial.learn(store, first, 0, seed);
      Map<String, String> healthy = learned(LearnerTrial.state(store, WIDTH));
      long number = Generations.read(store, LearnerTrial.view(0)).getLast().number();
      List<Logged> more = new ArrayList<>(first);
      more.addAll(log.subList(first.size(), log.size() - 30));
      int _ = trial.learn(store, more, 0, seed);
      assertThat(differences(learned(LearnerTrial.state(store, WIDTH)), healthy))
          .hasSizeGreaterThan(100);

      List<Logged> back = until(log, more.size(), Event.Order.STEP_BACK, number);
      back.subList(0, more.size()).clear();
      back.addAll(0, more);
      int _ = trial.learn(store, back, 0, seed);

      assertThat(differences(learned(LearnerTrial.state(store, WIDTH)), healthy)).isEmpty();
    }
  }

  /**
   * Whatever was known of an id, in states before as well, is no more; it is not learned again from
   * what was predicted before, and no step back brings it. After that it is as any other.
   */
  @ParameterizedTest
  @ValueSource(longs = {8, 9, 10})
  void commit_erases_nothingIsKnownUntilAllBeforeIsOver(long seed) throws Exception {
    LearnerTrial trial =
        new LearnerTrial(bundle, LearnerTrial.staying(GatePolicy.usual(GateMode.DIRECT)));
    List<Logged> log = trial.log(seed, REQUESTS, false);
    List<Logged> first = until(log, log.size() / 3, Event.Order.ACCEPT, 0);
    try (HeapRowStore store = new HeapRowStore()) {
      int _ = trial.learn(store, first, 0, seed);
      long number = Generations.read(store, LearnerTrial.view(0)).getLast().number();
      List<Logged> more = new ArrayList<>(first);
      more.addAll(log.subList(first.size(), log.size() / 2));
      int _ = trial.learn(store, more, 0, seed);
      Map<String, String> before = LearnerTrial.state(store, WIDTH);
      long key = busiest(trial, log.subList(more.size(), log.size()), before);
      assertThat(before.get(StateKind.OPTIMIZER + " " + key)).isNotEmpty();
      assertThat(before).containsKeys("row " + key, StateKind.UNDO + " " + key);

      List<Logged> erased = then(log, more, Event.Order.ERASE, key);
      int _ = trial.learn(store, erased, 0, seed);
      assertNothingKnown(LearnerTrial.state(store, WIDTH), key);
      assertThat(LearnerTrial.state(store, WIDTH)).containsKey(StateKind.ERASED + " " + key);

      List<Logged> later = new ArrayList<>(erased);
      later.addAll(log.subList(erased.size(), log.size() - 40));
      int _ = trial.learn(store, later, 0, seed);
      assertNothingKnown(LearnerTrial.state(store, WIDTH), key);

      List<Logged> back = then(log, later, Event.Order.STEP_BACK, number);
      int _ = trial.learn(store, back, 0, seed);
      assertNothingKnown(LearnerTrial.state(store, WIDTH), key);

      List<Logged> over = new ArrayList<>(back);
      Logged last = back.getLast();
      over.add(
          new Logged(
              last.position() + 1,
              last.atMs() + Duration.ofMinutes(1).toMillis(),
              last.model(),
              new Event.Ordered(Event.Order.ACCEPT, 0)));
      int _ = trial.learn(store, over, 0, seed);
      assertThat(LearnerTrial.state(store, WIDTH)).doesNotContainKey(StateKind.ERASED + " " + key);
    }
  }

  private static void assertNothingKnown(Map<String, String> state, long key) {
    // Empty: what the bundle may have of it counts no more.
    assertThat(state).containsEntry(StateKind.OPTIMIZER + " " + key, "");
    assertThat(state)
        .doesNotContainKeys(
            "row " + key,
            StateKind.UNDO + " " + key,
            StateKind.LIFE + " " + key,
            StateKind.SIGHTS_EVEN + " " + key,
            StateKind.SIGHTS_ODD + " " + key);
  }

  /** The trained and changed row that most of these requests have. */
  private static long busiest(
      LearnerTrial trial, List<Logged> requests, Map<String, String> state) {
    Map<Long, Long> times =
        requests.stream()
            .flatMapToLong(of -> LongStream.of(trial.keys(of)))
            .boxed()
            .filter(key -> state.containsKey(StateKind.UNDO + " " + key))
            .filter(key -> !trial.isGolden(key))
            .collect(Collectors.groupingBy(key -> key, Collectors.counting()));
    return Collections.max(times.entrySet(), Map.Entry.comparingByValue()).getKey();
  }

  /** What was, and then an order at the log's next boundary after it. */
  private static List<Logged> then(
      List<Logged> log, List<Logged> before, Event.Order order, long target) {
    List<Logged> next = until(log, before.size(), order, target);
    next.subList(0, before.size()).clear();
    next.addAll(0, before);
    return next;
  }

  /** Events up to the next boundary from {@code from} on, which is an order instead. */
  private static List<Logged> until(List<Logged> log, int from, Event.Order order, long target) {
    int at = from;
    while (!(log.get(at).event() instanceof Event.Boundary)) {
      at++;
    }
    List<Logged> events = new ArrayList<>(log.subList(0, at));
    Logged instead = log.get(at);
    events.add(
        new Logged(
            instead.position(), instead.atMs(), instead.model(), new Event.Ordered(order, target)));
    return events;
  }

  private static Set<String> differences(Map<String, String> one, Map<String, String> other) {
    Set<String> keys = new TreeSet<>(one.keySet());
    keys.addAll(other.keySet());
    keys.removeIf(key -> Objects.equals(one.get(key), other.get(key)));
    return keys;
  }

  private static Map<String, String> learned(Map<String, String> state) {
    Map<String, String> learned = new TreeMap<>(state);
    learned
        .keySet()
        .removeIf(
            key ->
                !key.startsWith("row ")
                    && !key.startsWith(StateKind.DENSE + " ")
                    && !key.startsWith(StateKind.OPTIMIZER + " "));
    // A row that was never trained is the bundle's; whether it was imported is no matter here.
    learned
        .keySet()
        .removeIf(
            key ->
                key.startsWith("row ")
                    && !state.containsKey(key.replace("row ", StateKind.OPTIMIZER + " ")));
    return learned;
  }

  /** The remainder stays over commits, until it has waited for too long. */
  @Test
  void take_boundariesOften_cutNoMinibatches() throws Exception {
    List<Logged> log = new LearnerTrial(bundle, LearnerTrial.options()).log(7, 2 * REQUESTS, false);
    LearnedMark patient = mark(Duration.ofHours(1), log);
    assertThat(patient.examples()).isGreaterThan(320).isEqualTo(32 * patient.steps());
    LearnedMark hasty = mark(Duration.ZERO, log);
    assertThat(hasty.examples()).isBetween(patient.examples(), patient.examples() + 31);
    assertThat(hasty.steps()).isGreaterThan(patient.steps());
  }

  /** Where training has come to, with the steps since the bundle. */
  private LearnedMark mark(Duration linger, List<Logged> log) throws IOException {
    Duration second = Duration.ofSeconds(1);
    LearnerTrial trial =
        new LearnerTrial(bundle, LearnerTrial.options(second.multipliedBy(2), second, linger));
    try (HeapRowStore store = new HeapRowStore()) {
      long before;
      try (Learner learner = trial.learner(store, log)) {
        before = learner.mark().steps();
      }
      int _ = trial.learn(store, log, 0, 7);
      try (Learner learner = trial.learner(store, log)) {
        LearnedMark mark = learner.mark();
        return new LearnedMark(
            mark.epoch(),
            mark.dense(),
            mark.steps() - before,
            mark.examples(),
            mark.turnedMs(),
            mark.served(),
            mark.visible(),
            mark.golden());
      }
    }
  }

  /** The log says 0.2 of all, which no weights do. */
  @Test
  void take_answersAreNotWhatTheWeightsSay_areCountedAsApart() throws Exception {
    LearnerTrial trial = new LearnerTrial(bundle, LearnerTrial.options());
    List<Logged> log = trial.answeredByTheBundle(trial.log(12, 50));
    try (StateStore store = new HeapRowStore()) {
      int _ = trial.learn(store, log, 0, 12);

      assertThat(trial.skew("apart")).isGreaterThan(10);
      assertThat(trial.skew("apart")).isGreaterThan(trial.skew("same"));
    }
  }

  @Test
  void take_examplesOfOtherVocabularies_areCountedAndNotLearned(@TempDir Path folder)
      throws Exception {
    LearnerTrial trial = new LearnerTrial(bundle, LearnerTrial.options());
    List<Logged> log = trial.otherEncoding(trial.log(6, REQUESTS));
    try (StateStore store = new HeapRowStore()) {
      int _ = trial.learn(store, log, 0, 6);

      assertThat(count(LearnerTrial.state(store, WIDTH), "row ")).isZero();
      assertThat(trial.examples("foreign")).isGreaterThan(100);
    }
  }

  @Test
  void take_aFeatureIsNoNumber_isRefusedAloneAndTheOthersAreLearned() throws Exception {
    LearnerTrial trial = new LearnerTrial(bundle, LearnerTrial.options());
    List<Logged> log = trial.notNumbers(trial.log(13, REQUESTS, false));
    try (StateStore store = new HeapRowStore()) {
      int _ = trial.learn(store, log, 0, 13);

      assertThat(trial.examples("refused")).isGreaterThan(50);
      assertThat(trial.examples("learned")).isGreaterThan(5 * trial.examples("refused"));
    }
  }
}
