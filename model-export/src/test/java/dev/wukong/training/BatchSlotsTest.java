package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.UniqueRows;
import dev.wukong.data.ValueType;
import dev.wukong.ranker.RankerConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Slots by places against slots by a map of keys. */
class BatchSlotsTest {
  private static final int GROUP = 0;
  private static final Schema SCHEMA =
      new Schema(
          "slots",
          List.of(
              id("user", Scope.CONTEXT, 1),
              id("seen", Scope.CONTEXT, 3),
              id("item", Scope.CANDIDATE, 1)),
          List.of(new Task("click", "click", Optional.empty(), Optional.empty())));

  private static IdFeature id(String name, Scope scope, int maxIds) {
    IdMapping ids = new IdMapping.Hash(100);
    return new IdFeature(
        name, scope, name, ValueType.INT64, ids, name, maxIds, Pooling.SUM, Optional.empty());
  }

  private final InputLayout layout =
      RankerConfig.read(
              TrainSessionTest.yaml(
                  """
                  embedding: {width: 8}
                  layers: 1
                  fm_embeddings: 2
                  linear_embeddings: 2
                  rank: 2
                  fm_mlp: {hidden: [4]}
                  head: {hidden: [4]}
                  """))
          .layout(SCHEMA);

  private final Workers workers = new Workers(3);
  private final UniqueRows known = new UniqueRows(layout);
  private final HeldRows store =
      new HeldRows(layout.groups().getFirst(), new OptimizerConfig.Sgd(0.1));
  private final BatchSlots slots = new BatchSlots(layout, GROUP, store, known, workers);

  @AfterEach
  void close() {
    workers.close();
  }

  private static EncodedRows rows(int rows, int positions, int ids, SplittableRandom random) {
    long[] all = new long[rows * positions];
    for (int i = 0; i < all.length; i++) {
      all[i] = random.nextInt(4) == 0 ? RowKey.NONE : RowKey.FIRST + random.nextInt(ids);
    }
    return new EncodedRows(rows, all, new float[0], new float[0]);
  }

  /** The keys of a batch's positions in their order; NONE where there is none. */
  private List<Long> keys(EncodedRows context, EncodedRows candidate) {
    List<Long> keys = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      EncodedRows of = scope == Scope.CONTEXT ? context : candidate;
      for (int row = 0; row < of.rows(); row++) {
        for (IdColumns columns : layout.columns(scope, GROUP)) {
          for (int i = 0; i < columns.width(); i++) {
            long id = of.ids()[row * layout.positions(scope) + columns.position() + i];
            int table = columns.table().ordinal();
            keys.add(id == RowKey.NONE ? RowKey.NONE : RowKey.of(table, id));
          }
        }
      }
    }
    return keys;
  }

  private List<Integer> found(EncodedRows context, EncodedRows candidate) {
    List<Integer> found = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      int rows = (scope == Scope.CONTEXT ? context : candidate).rows();
      int width = layout.slotWidth(scope, GROUP);
      for (int i = 0; i < rows * width; i++) {
        found.add(slots.slots(scope)[i]);
      }
    }
    return found;
  }

  private void hold(long key) {
    if (known.slotOf(GROUP, key) > store.size) {
      store.size++;
      store.grow(store.size);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 20, 400})
  void slotsCountFirstUsesAndPlacesAreThoseOfTheKeys(int ids) {
    SplittableRandom random = new SplittableRandom(ids);
    for (int batch = 0; batch < 20; batch++) {
      EncodedRows context = rows(1 + random.nextInt(40), 4, ids, random);
      EncodedRows candidate = rows(random.nextInt(60), 1, ids, random);
      slots.assign(context, candidate);

      Map<Long, Integer> expected = new LinkedHashMap<>();
      Map<Long, Integer> times = new LinkedHashMap<>();
      List<Integer> wanted = new ArrayList<>();
      for (long key : keys(context, candidate)) {
        if (key == RowKey.NONE) {
          wanted.add(0);
          continue;
        }
        expected.putIfAbsent(key, expected.size() + 1);
        wanted.add(expected.get(key));
        int place = known.find(GROUP, key) - 1;
        if (place < 0 || store.forgotten.get(place)) {
          times.merge(key, 1, Integer::sum);
        }
      }
      assertThat(found(context, candidate)).isEqualTo(wanted);
      assertThat(slots.size()).isEqualTo(expected.size());
      assertThat(slots.missingKeys()).containsExactly(longs(times.keySet()));
      assertThat(slots.missingTimes())
          .containsExactly(times.values().stream().mapToInt(Integer::intValue).toArray());

      // Of the missing rows some come, and some do not.
      for (long key : times.keySet()) {
        if (random.nextBoolean()) {
          hold(key);
          store.forgotten.clear(known.find(GROUP, key) - 1);
        }
      }
      slots.settle();
      expected.forEach(
          (key, slot) -> {
            int place = known.find(GROUP, key) - 1;
            if (place >= 0 && !store.forgotten.get(place)) {
              assertThat(slots.place(slot)).isEqualTo(place);
            } else {
              assertThat(slots.place(slot)).isNegative();
              assertThat(slots.tableOfMissing(slot)).isEqualTo(RowKey.table(key));
            }
          });
      if (batch % 5 == 4) {
        store.forgotten.set(random.nextInt(store.size));
      }
    }
  }

  private static long[] longs(Iterable<Long> values) {
    List<Long> all = new ArrayList<>();
    values.forEach(all::add);
    return all.stream().mapToLong(Long::longValue).toArray();
  }

  @Test
  void allForgottenKeysAreMissingAgain() {
    EncodedRows context = rows(30, 4, 10, new SplittableRandom(1));
    EncodedRows candidate = rows(30, 1, 10, new SplittableRandom(2));
    slots.assign(context, candidate);
    int distinct = slots.missingKeys().length;
    for (long key : slots.missingKeys()) {
      hold(key);
    }
    slots.settle();
    slots.assign(context, candidate);
    assertThat(slots.missingKeys()).isEmpty();

    known.clear();
    store.clear();
    slots.clear();
    slots.assign(context, candidate);
    assertThat(slots.missingKeys()).hasSize(distinct);
    assertThat(slots.size()).isEqualTo(distinct);
  }
}
