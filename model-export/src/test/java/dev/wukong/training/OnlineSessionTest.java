package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.config.Section;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.RowKey;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnlineSessionTest {
  private static final int BATCH = 25;
  private static final OnlineSession.Options OPTIONS =
      new OnlineSession.Options(BATCH, 1, new Device.Cpu(), Precision.FP32);

  @TempDir static Path folder;
  private static Bundle bundle = unopened();
  private static final List<EncodedExamples> BATCHES = new ArrayList<>();

  @SuppressWarnings("NullAway") // Set before all tests.
  private static Bundle unopened() {
    return null;
  }

  @BeforeAll
  static void train() throws IOException {
    bundle = Bundle.open(EveryFeature.bundle(folder, true));
    // Values that the bundle's training never saw are among them.
    try (EncodedDataset data = EveryFeature.encoded(folder.resolve("more.csv"), bundle.encoder())) {
      for (long from = 0; from < data.rows(); from += BATCH) {
        int rows = (int) Math.min(BATCH, data.rows() - from);
        BATCHES.add(data.range(from, rows, data.allocate(rows)));
      }
    }
  }

  @AfterAll
  static void close() {
    bundle.close();
  }

  /** Steps of a session that keeps all rows, its optimizers in Java. */
  @Test
  void step_rowsOfABundle_isThatOfTheTrainingThatGoesOn() throws IOException {
    BundleOrigin origin = new BundleOrigin(bundle);
    TrainingConfig config = TrainingConfig.read(Section.parse("training", EveryFeature.TRAINING));
    try (OnlineSession session = OnlineSession.of(bundle, OPTIONS, origin);
        TrainSession plain =
            new TrainSession(session.model(), bundle.layout(), config, new Device.Cpu(), _ -> 0)) {
      origin.restore(plain);
      Map<String, float[]> dense = session.dense();
      for (WeightState state : List.of(plain.weights(), plain.statistics())) {
        for (String name : state.places().keySet()) {
          state.buffer(name).put(dense.get(name));
          for (int i = 0; i < state.stateSlots(); i++) {
            state.state(i, name).put(dense.get("state" + i + "/" + name));
          }
        }
      }
      plain.restoreSteps(session.steps());
      assertThat(session.steps()).isPositive();
      // Both know the same rows in the first; later ones the plain one makes more.
      TrainSession.Step expected = plain.step(known(origin, BATCHES.getFirst()), 1);

      TrainSession.Step step = session.step(known(origin, BATCHES.getFirst()), 1);

      assertThat(step.probabilities()).containsExactly(expected.probabilities(), within(1e-5f));
      assertThat(step.loss()).isCloseTo(expected.loss(), within(1e-5f));
      List<ChangedRows> changed = session.changedRows();
      Map<Long, float[]> rows = new HashMap<>();
      plain.rows().forEach((table, id, row, _) -> rows.put(key(table, id), row.clone()));
      int many = 0;
      for (ChangedRows of : changed) {
        many += of.keys().length;
        for (int i = 0; i < of.keys().length; i++) {
          assertThat(Arrays.copyOfRange(of.rows(), i * of.width(), (i + 1) * of.width()))
              .containsExactly(rows.get(of.keys()[i]), within(1e-5f));
        }
      }
      assertThat(many).isPositive();
    }
  }

  private static long key(int table, long id) {
    return RowKey.of(table, id);
  }

  /** The same examples, values without a row absent: a session that makes rows makes none then. */
  private static EncodedExamples known(BundleOrigin origin, EncodedExamples examples) {
    try (OnlineSession session = OnlineSession.of(bundle, OPTIONS, origin)) {
      origin.absent.clear();
      float[] _ = session.step(examples, 0).probabilities();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    long[] without = origin.absent.keySet().stream().mapToLong(RowKey::id).toArray();
    return new EncodedExamples(
        absent(examples.context(), without),
        absent(examples.candidate(), without),
        examples.labels(),
        examples.labelWeights());
  }

  private static EncodedRows absent(EncodedRows rows, long[] without) {
    long[] ids =
        LongStream.of(rows.ids())
            .map(id -> LongStream.of(without).anyMatch(w -> w == id) ? RowKey.MISSING : id)
            .toArray();
    return new EncodedRows(rows.rows(), ids, rows.weights(), rows.dense());
  }

  @Test
  void step_rowsForgottenAndBroughtAgain_isTheSameToTheBit() throws IOException {
    BundleOrigin kept = new BundleOrigin(bundle);
    BundleOrigin stored = new BundleOrigin(bundle);
    try (OnlineSession all = OnlineSession.of(bundle, OPTIONS, kept);
        OnlineSession forgetful = OnlineSession.of(bundle, OPTIONS, stored)) {
      int turn = 0;
      for (EncodedExamples batch : BATCHES) {
        float[] expected = all.step(batch, 1).probabilities();

        assertThat(forgetful.step(batch, 1).probabilities()).containsExactly(expected);

        List<ChangedRows> changed = forgetful.changedRows();
        changed.forEach(stored::take);
        if (turn++ % 2 == 0) {
          forgetful.forgetRows();
          assertThat(forgetful.heldRows()).isZero();
        } else { // One by one.
          changed.forEach(rows -> LongStream.of(rows.keys()).forEach(forgetful::forgetRow));
        }
      }
      all.changedRows().forEach(kept::take);
      assertSameDense(all.dense(), forgetful.dense());
      for (EncodedExamples batch : BATCHES) {
        assertThat(forgetful.score(batch)).containsExactly(all.score(batch));
      }
    }
  }

  @Test
  void score_sessionThatOnlyScores_isThatOfOneThatTrains() throws IOException {
    Map<String, float[]> stepped;
    try (OnlineSession other = OnlineSession.of(bundle, OPTIONS, new BundleOrigin(bundle))) {
      BATCHES.forEach(batch -> other.step(batch, 1));
      stepped = other.dense();
    }
    try (OnlineSession trains = OnlineSession.of(bundle, OPTIONS, new BundleOrigin(bundle));
        OnlineSession scores = OnlineSession.scoring(bundle, OPTIONS, new BundleOrigin(bundle))) {
      float[] before = trains.score(BATCHES.getFirst());
      assertThat(scores.score(BATCHES.getFirst())).containsExactly(before);
      trains.restore(stepped);
      scores.restore(stepped);
      for (EncodedExamples batch : BATCHES) {
        assertThat(scores.score(batch)).containsExactly(trains.score(batch));
      }
      assertThat(scores.score(BATCHES.getFirst())).isNotEqualTo(before);
      assertThatThrownBy(() -> scores.step(BATCHES.getFirst(), 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("only scores");
    }
  }

  @Test
  void step_idWithoutARow_readsTheDefaultRowAndChangesNothing() throws IOException {
    BundleOrigin origin = new BundleOrigin(bundle);
    try (OnlineSession session = OnlineSession.of(bundle, OPTIONS, origin)) {
      for (EncodedExamples batch : BATCHES) {
        TrainSession.Step _ = session.step(batch, 1);
      }

      assertThat(origin.absent).isNotEmpty();
      for (ChangedRows rows : session.changedRows()) {
        assertThat(rows.keys()).isSorted().doesNotHaveDuplicates();
        assertThat(LongStream.of(rows.keys())).allMatch(origin::has);
      }
      assertThat(session.changedRows()).allSatisfy(rows -> assertThat(rows.keys()).isEmpty());
    }
  }

  @Test
  void restore_whatDenseGave_goesOnTheSame() throws IOException {
    BundleOrigin origin = new BundleOrigin(bundle);
    try (OnlineSession first = OnlineSession.of(bundle, OPTIONS, origin);
        OnlineSession second = OnlineSession.of(bundle, OPTIONS, origin)) {
      TrainSession.Step _ = first.step(BATCHES.get(0), 1);
      first.changedRows().forEach(origin::take);
      second.restore(first.dense());
      second.restoreSteps(first.steps());

      assertThat(second.step(BATCHES.get(1), 1).probabilities())
          .containsExactly(first.step(BATCHES.get(1), 1).probabilities());
      byte[] graph = second.predictGraph();
      assertThat(graph).isEqualTo(first.predictGraph());
      assertThat(LearnedGraph.of(bundle.manifest(), OPTIONS.precision()).file(first.dense()))
          .isEqualTo(graph);
      assertSameDense(second.dense(), first.dense());
      assertThat(second.steps()).isEqualTo(first.steps());
    }
  }

  @Test
  void findRowAndState_eachIdOfABundle_isWhatIsThere() {
    bundle
        .layout()
        .tables()
        .forEach(
            table -> {
              float[] row = new float[table.width()];
              bundle.forEachRow(
                  table,
                  (id, expected) -> {
                    assertThat(bundle.findRow(table, id, row)).isTrue();
                    for (int i = 0; i < row.length; i++) {
                      assertThat(row[i]).isEqualTo(expected.get(expected.position() + i));
                    }
                  });
              bundle.forEachState(
                  table,
                  (ids, values) -> {
                    float[] state = new float[1];
                    for (int i = 0; i < ids.limit(); i++) {
                      assertThat(bundle.findState(table, ids.get(i), state)).isTrue();
                      assertThat(state[0])
                          .isEqualTo(Objects.requireNonNull(values.get("state")).get(i));
                    }
                    assertThat(bundle.findState(table, ids.get(ids.limit() - 1) + 1, state))
                        .isFalse();
                  });
              assertThat(bundle.findRow(table, RowKey.ID_LIMIT - 1, row)).isFalse();
            });
  }

  @Test
  void restore_tensorMissing_isRefusedByName() throws IOException {
    try (OnlineSession session = OnlineSession.of(bundle, OPTIONS, new BundleOrigin(bundle))) {
      Map<String, float[]> dense = session.dense();
      String name = dense.keySet().iterator().next();
      dense.remove(name);

      assertThatThrownBy(() -> session.restore(dense))
          .hasMessageContaining("'" + name + "' is missing");
    }
  }

  private static void assertSameDense(Map<String, float[]> left, Map<String, float[]> right) {
    assertThat(left.keySet()).isEqualTo(right.keySet());
    left.forEach((name, values) -> assertThat(right.get(name)).as(name).containsExactly(values));
  }
}
