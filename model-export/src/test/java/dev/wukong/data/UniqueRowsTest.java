package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class UniqueRowsTest {
  private static final Schema SCHEMA =
      new Schema(
          "s",
          List.of(
              ids("user", Scope.CONTEXT, "user", 1, false),
              ids("history", Scope.CONTEXT, "item", 3, true),
              ids("item", Scope.CANDIDATE, "item", 1, false),
              ids("genres", Scope.CANDIDATE, "genres", 4, false)),
          List.of());
  private static final InputLayout LAYOUT =
      InputLayout.of(
          SCHEMA,
          Map.of(
              "user", List.of(8),
              "history", List.of(8, 4),
              "item", List.of(8, 4),
              "genres", List.of(4)));

  private static IdFeature ids(String name, Scope scope, String space, int max, boolean weighted) {
    return new IdFeature(
        name,
        scope,
        name,
        ValueType.INT64,
        new IdMapping.Hash(0),
        space,
        max,
        Pooling.MEAN,
        weighted ? Optional.of("w") : Optional.empty());
  }

  private static EncodedRows rows(SplittableRandom random, Scope scope, int rows, long range) {
    int positions = LAYOUT.positions(scope);
    long[] ids = new long[rows * positions];
    float[] weights = new float[scope == Scope.CONTEXT ? ids.length : 0];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = random.nextInt(4) == 0 ? RowKey.NONE : random.nextLong(range);
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] = random.nextFloat();
    }
    return new EncodedRows(rows, ids, weights, new float[0]);
  }

  /** Looking up every slot's row gives back the key of every position; rows are distinct. */
  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void slots_anyBatches_rowsOfSlotsAreTheIds(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    int count = random.nextInt(1, 61);
    UniqueRows unique = new UniqueRows(LAYOUT);
    for (int batch = 0; batch < 3; batch++) {
      unique.clear();
      long range = 1L << (1 + random.nextInt(40));
      EncodedRows context = rows(random, Scope.CONTEXT, 1 + random.nextInt(count), range);
      EncodedRows candidate = rows(random, Scope.CANDIDATE, count, range);
      for (int g = 0; g < LAYOUT.groups().size(); g++) {
        check(unique, Scope.CONTEXT, g, context);
        check(unique, Scope.CANDIDATE, g, candidate);
        Set<Long> keys = new HashSet<>();
        for (int slot = 1; slot <= unique.size(g); slot++) {
          assertThat(keys.add(unique.key(g, slot))).isTrue();
        }
      }
    }
  }

  private static void check(UniqueRows unique, Scope scope, int group, EncodedRows rows) {
    int width = LAYOUT.slotWidth(scope, group);
    IntBuffer slots = IntBuffer.allocate(rows.rows() * width);
    unique.slots(scope, group, rows, slots);
    assertThat(slots.remaining()).isZero();
    Map<Integer, Long> expected = new HashMap<>();
    for (IdColumns columns : LAYOUT.columns(scope, group)) {
      for (int row = 0; row < rows.rows(); row++) {
        for (int i = 0; i < columns.width(); i++) {
          long id = rows.ids()[row * LAYOUT.positions(scope) + columns.position() + i];
          expected.put(
              row * width + columns.start() + i,
              id == RowKey.NONE ? RowKey.NONE : RowKey.of(columns.table().ordinal(), id));
        }
      }
    }
    assertThat(expected).hasSize(slots.capacity());
    expected.forEach(
        (at, key) -> {
          int slot = slots.get(at);
          assertThat(slot == 0 ? RowKey.NONE : unique.key(group, slot)).isEqualTo(key);
        });
  }

  @Test
  void slots_twoBlocks_followOneAnotherAndShareRows() {
    UniqueRows unique = new UniqueRows(LAYOUT);
    EncodedRows one =
        new EncodedRows(1, new long[] {7, -1, -1, -1, -1}, new float[0], new float[0]);
    int group = LAYOUT.columns(Scope.CANDIDATE).getFirst().group();
    IntBuffer slots = IntBuffer.allocate(2 * LAYOUT.slotWidth(Scope.CANDIDATE, group));
    unique.slots(Scope.CANDIDATE, group, one, slots);
    unique.slots(Scope.CANDIDATE, group, one, slots);
    assertThat(slots.array()).containsOnly(1);
    assertThat(unique.size(group)).isEqualTo(1);
  }

  @Test
  void weights_weightedGroup_standBesideTheirSlots() {
    UniqueRows unique = new UniqueRows(LAYOUT);
    float[] weights = {1, .5f, .25f, 0};
    EncodedRows rows = new EncodedRows(1, new long[] {5, 6, 7, -1}, weights, new float[0]);
    int group = LAYOUT.columns(Scope.CONTEXT).getFirst().group();
    FloatBuffer out = FloatBuffer.allocate(LAYOUT.slotWidth(Scope.CONTEXT, group));
    unique.weights(Scope.CONTEXT, group, rows, out);
    assertThat(out.array()).containsExactly(1, .5f, .25f, 0);
  }

  @Test
  void slots_tooLittleRoom_isRefused() {
    EncodedRows rows =
        new EncodedRows(1, new long[] {7, -1, -1, -1, -1}, new float[0], new float[0]);
    assertThatThrownBy(
            () -> new UniqueRows(LAYOUT).slots(Scope.CANDIDATE, 1, rows, IntBuffer.allocate(0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("do not fit");
  }
}
