package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.UniqueRows;
import java.lang.foreign.Arena;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Only the rows of the batch are inputs of a step, and only they change (design: touched rows). A
 * row comes from its origin when training first meets its id. For tables of any size.
 */
final class TouchedRows implements RowTrainer {
  private final InputLayout layout;
  private final Workers workers;
  private final OptimizerConfig config;
  private final RowOrigin origin;

  /** All rows that are here: the slot of a key is its place in the store. */
  private final UniqueRows known;

  private final List<HeldRows> stores;

  /** By group: the rows of this batch; a slot is a row of the input. */
  private final List<BatchSlots> batch;

  /** Who has newer rows, if anybody. */
  private Runnable settle = () -> {};

  /** What ids without a row read, by table; null: rows have changed since it was last asked for. */
  private @Nullable List<float[]> defaults;

  /** The group of each table. */
  private final int[] groups;

  /** No rows yet. */
  TouchedRows(InputLayout layout, OptimizerConfig optimizer, RowOrigin origin, Workers workers) {
    this.layout = layout;
    this.workers = workers;
    this.config = optimizer;
    this.origin = origin;
    this.known = new UniqueRows(layout);
    this.stores = layout.groups().stream().map(group -> new HeldRows(group, optimizer)).toList();
    this.batch =
        IntStream.range(0, stores.size())
            .mapToObj(group -> new BatchSlots(layout, group, stores.get(group), known, workers))
            .toList();
    this.groups = new int[layout.tables().size()];
    for (int group = 0; group < stores.size(); group++) {
      for (Table table : layout.groups().get(group).tables()) {
        groups[table.ordinal()] = group;
      }
    }
  }

  /**
   * With rows drawn from {@code seed}. Those of the unseen and missing ids exist from the start: a
   * vocabulary gives out their ids, met in training or not.
   */
  static TouchedRows fresh(
      InputLayout layout, OptimizerConfig optimizer, double deviation, Workers workers, long seed) {
    TouchedRows rows = new TouchedRows(layout, optimizer, new FreshRows(deviation, seed), workers);
    for (Table table : layout.tables()) {
      long[] keys = {
        RowKey.of(table.ordinal(), RowKey.UNSEEN), RowKey.of(table.ordinal(), RowKey.MISSING)
      };
      rows.load(rows.groups[table.ordinal()], keys, new int[keys.length], true);
    }
    return rows;
  }

  /** Brings rows in; who has none, still has none. */
  private void load(int group, long[] keys, int[] times, boolean create) {
    HeldRows store = stores.get(group);
    origin.load(
        store.width,
        keys,
        times,
        create,
        (i, row, state) -> {
          int place = room(group, keys[i]);
          store.forgotten.clear(place);
          store.put(place, row);
          // Its place may have been another row's before all were forgotten.
          store.putState(place, state.length > 0 ? state : new float[store.stateWidth]);
        });
  }

  /** The place of {@code key}, new rows as zeros. */
  private int room(int group, long key) {
    HeldRows store = stores.get(group);
    int place = known.slotOf(group, key) - 1;
    if (place == store.size) {
      defaults = null;
      store.size++;
      store.grow(store.size);
    }
    return place;
  }

  /**
   * Says who has rows that are newer than those here ({@link HeldRows#newer}): it is asked for them
   * before anybody reads rows here.
   */
  void mirror(Runnable settle) {
    this.settle = settle;
  }

  HeldRows store(int group) {
    return stores.get(group);
  }

  /** The slots of the batch that was found last. */
  BatchSlots batch(int group) {
    return batch.get(group);
  }

  @Override
  public void bind(EncodedExamples examples, boolean create) {
    find(examples, create);
    fill();
  }

  /**
   * The first half of {@link #bind}: what {@link #slots} and {@link #size} say is of this batch.
   *
   * @return whether all its rows are here
   */
  boolean find(EncodedExamples examples, boolean create) {
    boolean all = true;
    for (int group = 0; group < stores.size(); group++) {
      BatchSlots own = batch.get(group);
      own.assign(examples.context(), examples.candidate());
      long[] missing = own.missingKeys();
      if (missing.length > 0) {
        load(group, missing, own.missingTimes(), create);
        all &= own.settle();
      }
    }
    return all;
  }

  /** The second half: the rows themselves. */
  void fill() {
    settle.run();
    for (int group = 0; group < stores.size(); group++) {
      HeldRows store = stores.get(group);
      BatchSlots own = batch.get(group);
      long floats = (long) size(group) * store.width;
      if (store.input.length() < floats) {
        store.input = new Floats(Arena.ofAuto(), floats * 3 / 2);
      }
      each(own, (from, to) -> fill(store, own, from, to));
      for (int slot : own.missingSlots()) {
        float[] common = defaultRow(own.tableOfMissing(slot));
        store.input.put((long) slot * store.width, common, store.width);
      }
    }
  }

  /** Some slots of a batch. */
  private interface SlotRange {
    void run(int from, int to);
  }

  /** Distinct slots have distinct places, so threads never meet in a row. */
  private void each(BatchSlots of, SlotRange range) {
    workers.range(of.size(), 64, (_, from, to) -> range.run((int) from + 1, (int) to + 1));
  }

  private static void fill(HeldRows store, BatchSlots own, int from, int to) {
    int width = store.width;
    for (int slot = from; slot < to; slot++) {
      int place = own.place(slot);
      if (place >= 0) {
        store.input.put((long) slot * width, store.floats(0, place), store.start(0, place), width);
      }
    }
  }

  private float[] defaultRow(int table) {
    float[] given = origin.defaultRow(table);
    if (given != null) {
      return given;
    }
    List<float[]> means = defaults;
    if (means == null) {
      means = MeanRows.of(layout.tables(), this);
      defaults = means;
    }
    return means.get(table);
  }

  @Override
  public void slots(Scope scope, int group, EncodedRows rows, int[] out) {
    int count = rows.rows() * layout.slotWidth(scope, group);
    System.arraycopy(batch.get(group).slots(scope), 0, out, 0, count);
  }

  @Override
  public int size(int group) {
    return batch.get(group).size() + 1;
  }

  @Override
  public FloatBuffer rows(int group) {
    HeldRows store = stores.get(group);
    return store.input.buffer(0, (long) size(group) * store.width);
  }

  @Override
  public void clearGradients() {
    for (int group = 0; group < stores.size(); group++) {
      HeldRows store = stores.get(group);
      int floats = size(group) * store.width;
      if (store.gradients.length < floats) {
        store.gradients = new float[floats * 3 / 2];
      } else {
        Arrays.fill(store.gradients, 0, floats, 0);
      }
    }
  }

  @Override
  public void add(int group, int[] slots, int positions, Floats gradients) {
    HeldRows store = stores.get(group);
    SlotGradients.add(workers, slots, positions, gradients, store.width, store.gradients);
  }

  @Override
  public double finishGradients() {
    double sum = 0;
    for (int group = 0; group < stores.size(); group++) {
      sum +=
          WeightState.squares(stores.get(group).gradients, size(group) * stores.get(group).width);
    }
    return sum;
  }

  @Override
  public void update(double scale, double rate, long step) {
    defaults = null;
    for (int group = 0; group < stores.size(); group++) {
      HeldRows store = stores.get(group);
      BatchSlots own = batch.get(group);
      markChanged(group);
      each(own, (from, to) -> update(store, own, from, to, scale, rate));
    }
  }

  private void update(HeldRows store, BatchSlots own, int from, int to, double scale, double rate) {
    int width = store.width;
    for (int slot = from; slot < to; slot++) {
      int place = own.place(slot);
      if (place < 0) {
        continue;
      }
      float[] rows = store.floats(0, place);
      int at = store.start(0, place);
      float factor =
          (float)
              (switch (config) {
                case OptimizerConfig.Sgd _ -> scale * rate;
                case OptimizerConfig.RowWiseAdaGrad(var _, var epsilon) ->
                    scale * rate / (Math.sqrt(accumulate(store, place, slot, scale)) + epsilon);
                case OptimizerConfig.Adam _ ->
                    throw new IllegalStateException("Adam's steps on touched rows are the graph's");
              });
      for (int i = 0; i < width; i++) {
        rows[at + i] -= factor * store.gradients[slot * width + i];
      }
    }
  }

  /** Adds the mean squared gradient of a slot's row to its accumulator. Gives the sum. */
  private static float accumulate(HeldRows store, int place, int slot, double scale) {
    double sum = 0;
    for (int i = 0; i < store.width; i++) {
      double g = store.gradients[slot * store.width + i] * scale;
      sum += g * g;
    }
    float[] accumulators = store.floats(1, place);
    int at = store.start(1, place);
    accumulators[at] += (float) (sum / store.width);
    return accumulators[at];
  }

  /** The rows of this batch are not what they were. */
  private void markChanged(int group) {
    HeldRows store = stores.get(group);
    BatchSlots own = batch.get(group);
    for (int slot = 1; slot < size(group); slot++) {
      int place = own.place(slot);
      if (place >= 0) {
        store.changed.set(place);
        store.outdated(place);
      }
    }
  }

  /** The rows of this batch, all of which are here, have changed on the device that has them. */
  void changedThere() {
    defaults = null;
    for (int group = 0; group < stores.size(); group++) {
      HeldRows store = stores.get(group);
      BatchSlots own = batch.get(group);
      for (int slot = 1; slot < size(group); slot++) {
        store.changed.set(own.place(slot));
        store.newer.set(own.place(slot));
      }
    }
  }

  @Override
  public void state(int group, int slot, FloatBuffer to) {
    settle.run();
    HeldRows store = stores.get(group);
    BatchSlots own = batch.get(group);
    int width = store.slotWidth();
    float[] none = new float[width];
    to.put(0, none);
    each(
        own,
        (from, until) -> {
          for (int i = from; i < until; i++) {
            int place = own.place(i);
            if (place < 0) {
              to.put(i * width, none);
            } else {
              int column = slot + 1;
              to.put(i * width, store.floats(column, place), store.start(column, place), width);
            }
          }
        });
  }

  @Override
  public void take(int group, FloatBuffer rows, List<FloatBuffer> state) {
    defaults = null;
    markChanged(group);
    BatchSlots own = batch.get(group);
    each(own, (from, to) -> take(stores.get(group), own, from, to, rows, state));
  }

  private static void take(
      HeldRows store, BatchSlots own, int from, int to, FloatBuffer rows, List<FloatBuffer> state) {
    int width = store.slotWidth();
    for (int i = from; i < to; i++) {
      int place = own.place(i);
      if (place < 0) {
        continue;
      }
      rows.get(i * store.width, store.floats(0, place), store.start(0, place), store.width);
      for (int column = 1; column <= state.size(); column++) {
        FloatBuffer made = state.get(column - 1);
        made.get(i * width, store.floats(column, place), store.start(column, place), width);
      }
    }
  }

  /**
   * The rows of a group that steps have changed since this was last asked, by ascending key, with
   * their state.
   */
  ChangedRows changed(int group) {
    settle.run();
    HeldRows store = stores.get(group);
    long[] keys = store.changed.stream().mapToLong(place -> known.key(group, place + 1)).toArray();
    store.changed.clear();
    Arrays.sort(keys);
    float[] rows = new float[Math.multiplyExact(keys.length, store.width)];
    float[] states = new float[Math.multiplyExact(keys.length, store.stateWidth)];
    for (int i = 0; i < keys.length; i++) {
      int place = known.find(group, keys[i]) - 1;
      store.get(place, rows, i * store.width);
      store.getState(place, states, i * store.stateWidth);
    }
    return new ChangedRows(store.width, keys, rows, store.stateWidth, states);
  }

  /** Rows that are here, those of all groups together. */
  int held() {
    return stores.stream().mapToInt(store -> store.size).sum();
  }

  /** Forgets the row of {@code key}, if it is here: it comes from its origin again. */
  void forget(long key) {
    int group = groups[RowKey.table(key)];
    int place = known.find(group, key) - 1;
    if (place >= 0) {
      stores.get(group).forgotten.set(place);
      stores.get(group).changed.clear(place);
      stores.get(group).outdated(place);
    }
  }

  /** Forgets all rows: they come from their origin again. */
  void forget() {
    known.clear();
    batch.forEach(BatchSlots::clear);
    defaults = null;
    for (HeldRows store : stores) {
      store.clear();
    }
  }

  @Override
  public long[] counts() {
    long[] counts = new long[layout.tables().size()];
    for (int group = 0; group < stores.size(); group++) {
      for (int slot = 1; slot <= known.size(group); slot++) {
        counts[RowKey.table(known.key(group, slot))]++;
      }
    }
    return counts;
  }

  @Override
  public void forEach(RowVisitor visitor) {
    settle.run();
    // A key's upper bits are its table: sorted, each table's keys stand together, by ascending id.
    long[][] keys = new long[stores.size()][];
    Arrays.setAll(keys, this::keys);
    int[] next = new int[stores.size()];
    for (Table table : layout.tables()) {
      int group = groups[table.ordinal()];
      HeldRows store = stores.get(group);
      long[] all = keys[group];
      float[] row = new float[store.width];
      float[] state = new float[store.stateWidth];
      int at = next[group];
      for (; at < all.length && RowKey.table(all[at]) == table.ordinal(); at++) {
        int place = known.find(group, all[at]) - 1;
        store.get(place, row, 0);
        store.getState(place, state, 0);
        visitor.row(table.ordinal(), RowKey.id(all[at]), row, state);
      }
      next[group] = at;
    }
  }

  /** The keys of a group's rows, ascending. */
  private long[] keys(int group) {
    long[] keys = new long[known.size(group)];
    Arrays.setAll(keys, i -> known.key(group, i + 1));
    Arrays.sort(keys);
    return keys;
  }

  @Override
  public void restore(int table, long id, float[] row, float[] state) {
    defaults = null;
    int group = groups[table];
    HeldRows store = stores.get(group);
    int place = room(group, RowKey.of(table, id));
    store.put(place, row);
    store.putState(place, state);
  }
}
