package dev.wukong.serving.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.lifecycle.RowAdmission.Verdict;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RowAdmissionTest {
  private static final RowsView VIEW = new RowsView("ctr", 1, 0);
  private static final List<RowPolicy> TABLES =
      List.of(new RowPolicy(3, null), new RowPolicy(1, null));

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final LifecycleMeters meters =
      new LifecycleMeters("ctr", List.of("user", "item"), registry);
  private final StateStore store = new HeapRowStore();

  private RowAdmission admission(int most) {
    return new RowAdmission(store, VIEW, TABLES, most, () -> true, meters);
  }

  private void commit(RowAdmission admission, int version) {
    store.apply(
        new RowCommit(new RowsView("ctr", 1, version), List.of()), List.copyOf(admission.drain()));
  }

  private static long user(long id) {
    return RowKey.of(0, id);
  }

  private double count(String verdict) {
    return registry.get("wukong.embedding.admission").tag("verdict", verdict).counter().count();
  }

  @Test
  void see_asOftenAsItsTableAsks_admits() {
    RowAdmission admission = admission(10);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(6))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.ADMITTED);
    assertThat(admission.see(RowKey.of(1, 5))).isEqualTo(Verdict.ADMITTED);
    assertThat(count("admitted")).isEqualTo(2);
    assertThat(admission.counted()).isEqualTo(1);
  }

  @Test
  void turn_seenInThePeriodBefore_stillCounts_andNotAfterAnother() {
    RowAdmission admission = admission(10);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(6))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(6))).isEqualTo(Verdict.NOT_YET);
    admission.turn();
    assertThat(admission.see(user(5))).isEqualTo(Verdict.ADMITTED);
    admission.turn();
    assertThat(admission.see(user(6))).isEqualTo(Verdict.NOT_YET);
  }

  @Test
  void see_countersAreFull_closesForNewIdsAlone() {
    RowAdmission admission = admission(2);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(6))).isEqualTo(Verdict.NOT_YET);
    for (int i = 0; i < 10; i++) {
      assertThat(admission.see(user(7))).isEqualTo(Verdict.FULL);
    }
    assertThat(admission.see(user(5))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.ADMITTED);
    assertThat(admission.see(user(7))).isEqualTo(Verdict.NOT_YET); // There is room again.
    assertThat(count("full")).isEqualTo(10);
  }

  @Test
  void see_noRoomForARow_admitsWhenThereIs() {
    List<Boolean> room = new ArrayList<>(List.of(false));
    RowAdmission admission = new RowAdmission(store, VIEW, TABLES, 10, room::getFirst, meters);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.NOT_YET);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.FULL);
    room.set(0, true);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.ADMITTED);
  }

  @Test
  void turn_seenAllTheTimeWithoutRoom_isNotForgotten() {
    List<Boolean> room = new ArrayList<>(List.of(false));
    RowAdmission admission = new RowAdmission(store, VIEW, TABLES, 10, room::getFirst, meters);
    for (int period = 0; period < 4; period++) {
      for (int i = 0; i < 3; i++) {
        assertThat(admission.see(user(5))).isNotEqualTo(Verdict.ADMITTED);
      }
      admission.turn();
    }
    room.set(0, true);
    assertThat(admission.see(user(5))).isEqualTo(Verdict.ADMITTED);
  }

  /** Beside one that never ends; after each commit another one goes on from what is stored. */
  @Test
  void restore_afterAnyCommit_goesOnAsIfNothingHadHappened() {
    SplittableRandom random = new SplittableRandom(1);
    RowAdmission endless = admission(40);
    RowAdmission restored = admission(40);
    for (int version = 1; version <= 200; version++) {
      long seed = random.nextLong();
      assertThat(verdicts(restored, seed)).isEqualTo(verdicts(endless, seed));
      commit(restored, version);
      endless.drain();
      restored = admission(40);
      assertThat(restored.counted()).isEqualTo(endless.counted());
    }
  }

  /** A period ends on the way now and then. */
  private static List<Verdict> verdicts(RowAdmission admission, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Verdict> verdicts = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      verdicts.add(admission.see(user(random.nextInt(100))));
      if (random.nextInt(100) == 0) {
        admission.turn();
      }
    }
    return verdicts;
  }

  @Test
  void rowPolicy_outOfBounds_saysWhatIsAllowed() {
    assertThatThrownBy(() -> new RowPolicy(0, null)).hasMessage("sights is 0, must be 1 to 255");
    assertThatThrownBy(() -> new RowPolicy(256, null))
        .hasMessage("sights is 256, must be 1 to 255");
    assertThatThrownBy(() -> new RowPolicy(1, Duration.ZERO))
        .hasMessage("age is PT0S, must be more than nothing");
  }
}
