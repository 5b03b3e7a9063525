package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.UniqueRows;
import dev.wukong.graph.Shape;
import dev.wukong.ranker.Init;
import java.lang.foreign.Arena;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Only the rows of the batch are inputs of a step, and only they change (design: touched rows). A
 * row is made when training first meets its id, with values that depend on the seed, its table and
 * its id alone. For tables of any size.
 */
final class TouchedRows implements RowTrainer {
  private final InputLayout layout;
  private final Workers workers;
  private final OptimizerConfig config;
  private final double deviation;
  private final long seed;

  /** All rows ever made: the slot of a key is its place in the store. */
  private final UniqueRows known;

  /** The rows of this batch: the slot of a key is its row of the input. */
  private final UniqueRows batch;

  private final List<Store> stores;

  /** What ids without a row read, by table; null: rows have changed since it was last asked for. */
  private @Nullable List<float[]> defaults;

  /** The group of each table. */
  private final int[] groups;

  /** The slots of this batch, by scope and group. */
  private final Map<Scope, int[][]> slots = new EnumMap<>(Scope.class);

  /** One group's rows: blocks on the heap, and this batch's input and gradients. */
  private static final class Store {
    static final int BLOCK = 4096;

    final int width;
    final List<float[]> blocks = new ArrayList<>();
    final List<float[]> accumulators = new ArrayList<>();
    int size;
    Floats input;

    /** The place in the store of each row of this batch. */
    int[] places = new int[1];

    float[] gradients = new float[0];

    Store(Group group) {
      this.width = group.width();
      this.input = new Floats(Arena.ofAuto(), width);
    }

    void get(int place, float[] to) {
      System.arraycopy(blocks.get(place / BLOCK), place % BLOCK * width, to, 0, width);
    }

    void put(int place, float[] from) {
      System.arraycopy(from, 0, blocks.get(place / BLOCK), place % BLOCK * width, width);
    }

    void grow(int places) {
      while (blocks.size() * BLOCK < places) {
        blocks.add(new float[BLOCK * width]);
        accumulators.add(new float[BLOCK]);
      }
    }
  }

  TouchedRows(
      InputLayout layout,
      TrainingConfig.RowsConfig config,
      double deviation,
      Workers workers,
      long seed) {
    this.layout = layout;
    this.workers = workers;
    this.config = config.optimizer();
    this.deviation = deviation;
    this.seed = seed;
    this.known = new UniqueRows(layout);
    this.batch = new UniqueRows(layout);
    this.stores = layout.groups().stream().map(Store::new).toList();
    this.groups = new int[layout.tables().size()];
    for (Scope scope : Scope.values()) {
      slots.put(scope, new int[stores.size()][0]);
    }
    // The unseen and missing ids' rows exist from the start: a vocabulary gives out their ids, met
    // in training or not.
    for (int group = 0; group < stores.size(); group++) {
      for (Table table : layout.groups().get(group).tables()) {
        groups[table.ordinal()] = group;
        place(group, RowKey.of(table.ordinal(), RowKey.UNSEEN));
        place(group, RowKey.of(table.ordinal(), RowKey.MISSING));
      }
    }
  }

  private int place(int group, long key) {
    Store store = stores.get(group);
    int size = store.size;
    int place = room(group, key);
    if (place == size) {
      SplittableRandom random = new SplittableRandom(mix(seed, key));
      store.put(place, new Init.Normal(deviation).values(Shape.of(store.width), random));
    }
    return place;
  }

  /** The place of {@code key}, new rows as zeros. */
  private int room(int group, long key) {
    Store store = stores.get(group);
    int place = known.slotOf(group, key) - 1;
    if (place == store.size) {
      defaults = null;
      store.size++;
      store.grow(store.size);
    }
    return place;
  }

  private static long mix(long seed, long key) {
    long z = seed * 0x9E3779B97F4A7C15L + key * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 30)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  @Override
  public void bind(EncodedExamples examples, boolean create) {
    batch.clear();
    for (int group = 0; group < stores.size(); group++) {
      collect(Scope.CONTEXT, group, examples.context());
      collect(Scope.CANDIDATE, group, examples.candidate());
      Store store = stores.get(group);
      int size = batch.size(group) + 1;
      if (store.places.length < size) {
        store.places = new int[size * 3 / 2];
        store.input = new Floats(Arena.ofAuto(), (long) store.places.length * store.width);
      }
      float[] row = new float[store.width];
      for (int slot = 1; slot < size; slot++) {
        long key = batch.key(group, slot);
        int place = create ? place(group, key) : known.find(group, key) - 1;
        store.places[slot] = place;
        if (place >= 0) {
          store.get(place, row);
        } else {
          System.arraycopy(defaultRow(RowKey.table(key)), 0, row, 0, store.width);
        }
        store.input.put((long) slot * store.width, row, store.width);
      }
    }
  }

  private float[] defaultRow(int table) {
    List<float[]> means = defaults;
    if (means == null) {
      means = MeanRows.of(layout.tables(), this);
      defaults = means;
    }
    return means.get(table);
  }

  private void collect(Scope scope, int group, EncodedRows rows) {
    int count = Math.multiplyExact(rows.rows(), layout.slotWidth(scope, group));
    int[][] own = slotsOf(scope);
    if (own[group].length < count) {
      own[group] = new int[count];
    }
    if (count > 0) {
      batch.slots(scope, group, rows, IntBuffer.wrap(own[group]));
    }
  }

  @Override
  public void slots(Scope scope, int group, EncodedRows rows, int[] out) {
    int count = rows.rows() * layout.slotWidth(scope, group);
    System.arraycopy(slotsOf(scope)[group], 0, out, 0, count);
  }

  private int[][] slotsOf(Scope scope) {
    return Objects.requireNonNull(slots.get(scope));
  }

  @Override
  public int size(int group) {
    return batch.size(group) + 1;
  }

  @Override
  public FloatBuffer rows(int group) {
    Store store = stores.get(group);
    return store.input.buffer(0, (long) size(group) * store.width);
  }

  @Override
  public void clearGradients() {
    for (int group = 0; group < stores.size(); group++) {
      Store store = stores.get(group);
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
    Store store = stores.get(group);
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
      Store store = stores.get(group);
      // Distinct slots have distinct places, so threads never meet in a row.
      workers.range(
          size(group) - 1,
          64,
          (part, from, to) -> update(store, (int) from + 1, (int) to + 1, scale, rate));
    }
  }

  private void update(Store store, int from, int to, double scale, double rate) {
    int width = store.width;
    for (int slot = from; slot < to; slot++) {
      int place = store.places[slot];
      float[] rows = store.blocks.get(place / Store.BLOCK);
      int at = place % Store.BLOCK * width;
      float factor =
          (float)
              (switch (config) {
                case OptimizerConfig.Sgd _ -> scale * rate;
                case OptimizerConfig.RowWiseAdaGrad(var _, var epsilon) ->
                    scale * rate / (Math.sqrt(accumulate(store, slot, scale)) + epsilon);
                case OptimizerConfig.Adam _ ->
                    throw new IllegalStateException("touched rows have no place for Adam's state");
              });
      for (int i = 0; i < width; i++) {
        rows[at + i] -= factor * store.gradients[slot * width + i];
      }
    }
  }

  /** Adds the mean squared gradient of a slot's row to its accumulator. Gives the sum. */
  private static float accumulate(Store store, int slot, double scale) {
    int place = store.places[slot];
    double sum = 0;
    for (int i = 0; i < store.width; i++) {
      double g = store.gradients[slot * store.width + i] * scale;
      sum += g * g;
    }
    float[] accumulators = store.accumulators.get(place / Store.BLOCK);
    accumulators[place % Store.BLOCK] += (float) (sum / store.width);
    return accumulators[place % Store.BLOCK];
  }

  @Override
  public void state(int group, int slot, FloatBuffer to) {
    Store store = stores.get(group);
    to.put(0, 0);
    for (int i = 1; i < size(group); i++) {
      int place = store.places[i];
      to.put(i, store.accumulators.get(place / Store.BLOCK)[place % Store.BLOCK]);
    }
  }

  @Override
  public void take(int group, FloatBuffer rows, List<FloatBuffer> state) {
    defaults = null;
    Store store = stores.get(group);
    float[] row = new float[store.width];
    for (int i = 1; i < size(group); i++) {
      int place = store.places[i];
      rows.get(i * store.width, row);
      store.put(place, row);
      if (!state.isEmpty()) {
        store.accumulators.get(place / Store.BLOCK)[place % Store.BLOCK] = state.getFirst().get(i);
      }
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
    // A key's upper bits are its table: sorted, each table's keys stand together, by ascending id.
    long[][] keys = new long[stores.size()][];
    Arrays.setAll(keys, this::keys);
    int[] next = new int[stores.size()];
    for (Table table : layout.tables()) {
      int group = groups[table.ordinal()];
      Store store = stores.get(group);
      long[] all = keys[group];
      float[] row = new float[store.width];
      float[] state = new float[config.rowState(store.width)];
      int at = next[group];
      for (; at < all.length && RowKey.table(all[at]) == table.ordinal(); at++) {
        int place = known.find(group, all[at]) - 1;
        store.get(place, row);
        if (state.length > 0) {
          state[0] = store.accumulators.get(place / Store.BLOCK)[place % Store.BLOCK];
        }
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
    Store store = stores.get(group);
    int place = room(group, RowKey.of(table, id));
    store.put(place, row);
    if (state.length > 0) {
      store.accumulators.get(place / Store.BLOCK)[place % Store.BLOCK] = state[0];
    }
  }
}
