package dev.wukong.training;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.SlotColumns;
import dev.wukong.data.UniqueRows;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * One group's distinct rows of a batch and the slot of each of its positions, counted from 1 in
 * order of first use; slot 0 is the padding. A position of a row that is held costs one look among
 * the keys of all, which the threads share out; that it was there before is known by its place.
 * Owned by the training thread.
 */
final class BatchSlots {
  private static final int NONE = 0;
  private static final int MISSING = -1;

  private final int group;
  private final HeldRows store;
  private final UniqueRows known;
  private final Workers workers;
  private final Map<Scope, SlotColumns> columns = new EnumMap<>(Scope.class);
  private final Map<Scope, int[]> slots = new EnumMap<>(Scope.class);

  /** Keys without a row: their numbers count from 1, too. */
  private final UniqueRows missing;

  private int size;

  /** By slot: where its row is; where it is missing, its key's number, negative. */
  private int[] places = new int[1];

  /** By place; what it says counts only where the slot's place is that one. */
  private int[] slotOf = new int[0];

  /** By the number of a missing key: its slot. */
  private int[] missingSlots = new int[2];

  /** How many positions have it. */
  private int[] missingTimes = new int[2];

  /**
   * For one group.
   *
   * @param known whose slots less one are the store's places
   */
  BatchSlots(InputLayout layout, int group, HeldRows store, UniqueRows known, Workers workers) {
    this.group = group;
    this.store = store;
    this.known = known;
    this.workers = workers;
    this.missing = new UniqueRows(layout);
    for (Scope scope : Scope.values()) {
      columns.put(scope, SlotColumns.of(layout, scope, group));
      slots.put(scope, new int[0]);
    }
  }

  /** Forgets the batch. */
  void clear() {
    size = 0;
    Arrays.fill(missingTimes, 1, missing.size(group) + 1, 0);
    missing.clear();
  }

  /** Gives every position of a batch its slot. */
  void assign(EncodedRows context, EncodedRows candidate) {
    clear();
    if (slotOf.length < store.size) {
      slotOf = new int[store.size * 3 / 2 + 1];
    }
    assign(Scope.CONTEXT, context);
    assign(Scope.CANDIDATE, candidate);
  }

  private void assign(Scope scope, EncodedRows rows) {
    SlotColumns of = Objects.requireNonNull(columns.get(scope));
    int width = of.width();
    int count = Math.multiplyExact(rows.rows(), width);
    int[] own = slots(scope);
    if (own.length < count) {
      own = new int[count];
      slots.put(scope, own);
    }
    if (count == 0) {
      return;
    }
    int[] found = own;
    workers.range(
        rows.rows(), 1, (_, from, to) -> find(of, rows.ids(), (int) from, (int) to, found));
    for (int i = 0; i < count; i++) {
      if (own[i] > NONE) {
        own[i] = held(own[i] - 1);
      } else if (own[i] == MISSING) {
        own[i] = missing(of.key(rows.ids(), i / width, i % width));
      }
    }
  }

  /** The places, counted from 1, of what rows {@code from} to {@code to} look up. */
  private void find(SlotColumns of, long[] ids, int from, int to, int[] found) {
    int width = of.width();
    boolean someForgotten = !store.forgotten.isEmpty();
    for (int row = from; row < to; row++) {
      for (int column = 0; column < width; column++) {
        int at = row * width + column;
        long key = of.key(ids, row, column);
        if (key == RowKey.NONE) {
          found[at] = NONE;
        } else {
          int place = known.find(group, key);
          boolean held = place > 0 && !(someForgotten && store.forgotten.get(place - 1));
          found[at] = held ? place : MISSING;
        }
      }
    }
  }

  private int held(int place) {
    int slot = slotOf[place];
    if (slot > 0 && slot <= size && places[slot] == place) {
      return slot;
    }
    slotOf[place] = add(place);
    return size;
  }

  private int missing(long key) {
    int number = missing.slotOf(group, key);
    if (number >= missingSlots.length) {
      missingSlots = Arrays.copyOf(missingSlots, number * 2);
      missingTimes = Arrays.copyOf(missingTimes, number * 2);
    }
    if (missingTimes[number]++ == 0) {
      missingSlots[number] = add(-number);
    }
    return missingSlots[number];
  }

  private int add(int place) {
    size++;
    if (size >= places.length) {
      places = Arrays.copyOf(places, size * 2);
    }
    places[size] = place;
    return size;
  }

  /** The keys without a row, by first use. */
  long[] missingKeys() {
    long[] keys = new long[missing.size(group)];
    if (keys.length > 0) {
      missing.keys(group, 1, keys.length, keys);
    }
    return keys;
  }

  /** How many positions have each of {@link #missingKeys}. */
  int[] missingTimes() {
    return Arrays.copyOfRange(missingTimes, 1, missing.size(group) + 1);
  }

  /**
   * Looks once more for the rows that were missing.
   *
   * @return whether all are there
   */
  boolean settle() {
    if (slotOf.length < store.size) {
      slotOf = Arrays.copyOf(slotOf, store.size * 3 / 2 + 1);
    }
    for (int number = 1; number <= missing.size(group); number++) {
      int place = known.find(group, missing.key(group, number)) - 1;
      if (place >= 0 && !store.forgotten.get(place)) {
        places[missingSlots[number]] = place;
        slotOf[place] = missingSlots[number];
      }
    }
    return missingSlots().length == 0;
  }

  /** The slots whose rows are nowhere. */
  int[] missingSlots() {
    return IntStream.rangeClosed(1, missing.size(group))
        .map(number -> missingSlots[number])
        .filter(slot -> places[slot] < 0)
        .toArray();
  }

  /** Distinct rows, the padding not counted: slots 1 to this are in use. */
  int size() {
    return size;
  }

  /** Where the row of a slot is in the store; negative: nowhere. */
  int place(int slot) {
    return places[slot];
  }

  /** The table of a slot whose row is nowhere. */
  int tableOfMissing(int slot) {
    return RowKey.table(missing.key(group, -places[slot]));
  }

  /** The slots [rows, W] of the batch's rows; longer than they need. */
  int[] slots(Scope scope) {
    return Objects.requireNonNull(slots.get(scope));
  }
}
