package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.events.Logged;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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

    try (RocksRowStore store = RocksRowStore.open(folder)) {
      int crashes = trial.learn(store, log, 40, seed);

      assertThat(crashes).isGreaterThan(20);
      assertThat(LearnerTrial.state(store, WIDTH)).isEqualTo(expected);
    }
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

  /** The remainder stays over commits, until it has waited for too long. */
  @Test
  void take_boundariesOften_cutNoMinibatches() throws Exception {
    List<Logged> log = new LearnerTrial(bundle, LearnerTrial.options()).log(7, REQUESTS);
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
            mark.golden());
      }
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
      assertThat(
              trial
                  .registry
                  .get("wukong.online.examples")
                  .tag("outcome", "foreign")
                  .counter()
                  .count())
          .isGreaterThan(100);
    }
  }
}
