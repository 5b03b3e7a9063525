package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.cluster.HeldFeedback.Waiting;
import dev.wukong.serving.events.FeedbackItem;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.StreamPlace.Held;
import org.junit.jupiter.api.Test;

class HeldFeedbackTest {
  private static PredictionId id(long number) {
    return new PredictionId(1, number);
  }

  private static Waiting waiting(long prediction, long offset, long sinceMs) {
    return new Waiting(
        new Held(0, offset), new FeedbackItem.Exposed(id(prediction), new int[] {0}, 0), sinceMs);
  }

  @Test
  void take_ofAPrediction_givesAllThatWaitsForItInItsOrder() {
    HeldFeedback held = new HeldFeedback(10, 100);
    Waiting first = waiting(1, 5, 0);
    Waiting other = waiting(2, 6, 0);
    Waiting second = waiting(1, 7, 0);
    assertThat(held.add(first) + held.add(other) + held.add(second)).isZero();

    assertThat(held.take(id(1))).containsExactly(first, second);
    assertThat(held.take(id(1))).isEmpty();
    assertThat(held.places()).containsExactly(new Held(0, 6));
  }

  @Test
  void add_beyondTheBound_givesUpTheOldest() {
    HeldFeedback held = new HeldFeedback(2, 100);
    int given = 0;
    for (int i = 0; i < 5; i++) {
      given += held.add(waiting(i, i, 0));
    }
    assertThat(given).isEqualTo(3);
    assertThat(held.places()).containsExactly(new Held(0, 3), new Held(0, 4));
    assertThat(held.take(id(0))).isEmpty();
  }

  @Test
  void expire_afterTheirTime_givesThemUp() {
    HeldFeedback held = new HeldFeedback(10, 100);
    assertThat(held.add(waiting(1, 1, 50)) + held.add(waiting(2, 2, 60))).isZero();
    assertThat(held.expire(149)).isZero();
    assertThat(held.expire(150)).isEqualTo(1);
    assertThat(held.size()).isEqualTo(1);
    assertThat(held.take(id(1))).isEmpty();
    assertThat(held.take(id(2))).hasSize(1);
  }
}
