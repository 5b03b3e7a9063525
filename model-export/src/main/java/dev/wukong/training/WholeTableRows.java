package dev.wukong.training;

import dev.wukong.config.ConfigException;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Group;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.graph.Shape;
import dev.wukong.ranker.Init;
import java.lang.foreign.Arena;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToLongFunction;

/**
 * Every row of every table is an input of each step and changes in each step (design: whole table).
 * For small tables.
 */
final class WholeTableRows implements RowTrainer {
  /** What one buffer of floats holds. */
  private static final long MAX_FLOATS = Integer.MAX_VALUE / Float.BYTES;

  /** One group: slot = base of the table + id. */
  private record Rows(
      Group group, long[] base, int size, Floats weights, Floats[] state, float[] gradients) {}

  private final InputLayout layout;
  private final List<Rows> groups;
  private final HostOptimizer optimizer;
  private final Workers workers;
  private final float l2;

  /**
   * @param rowsIn ids of an id space, all below which there is a row
   */
  WholeTableRows(
      Arena arena,
      InputLayout layout,
      ToLongFunction<String> rowsIn,
      TrainingConfig.RowsConfig config,
      double deviation,
      Workers workers,
      long seed) {
    this.layout = layout;
    this.optimizer = HostOptimizer.of(config.optimizer());
    this.workers = workers;
    this.l2 = (float) config.l2();
    this.groups =
        layout.groups().stream().map(g -> rows(arena, g, rowsIn, deviation, seed)).toList();
  }

  private Rows rows(
      Arena arena, Group group, ToLongFunction<String> rowsIn, double deviation, long seed) {
    long[] base = new long[layout.tables().size()];
    long size = 1; // The padding row.
    for (Table table : group.tables()) {
      base[table.ordinal()] = size;
      size += rowsIn.applyAsLong(table.idSpace());
    }
    long floats = size * group.width();
    if (floats > MAX_FLOATS) {
      throw new ConfigException(
          "training.rows.mode is 'whole_table', but the tables of width %d have %,d rows; want touched, or at most %,d rows"
              .formatted(group.width(), size, MAX_FLOATS / group.width()));
    }
    Floats weights = new Floats(arena, floats);
    SplittableRandom random = new SplittableRandom(seed * 31 + group.name().hashCode());
    weights.buffer(0, floats).put(new Init.Normal(deviation).values(Shape.of(floats), random));
    weights.fill(0, group.width(), (byte) 0);
    Floats[] state = new Floats[optimizer.slots()];
    Arrays.setAll(state, i -> new Floats(arena, floats));
    return new Rows(group, base, (int) size, weights, state, new float[(int) floats]);
  }

  @Override
  public void bind(EncodedExamples batch, boolean create) {}

  @Override
  public void slots(Scope scope, int group, EncodedRows rows, int[] out) {
    int positions = layout.positions(scope);
    int width = layout.slotWidth(scope, group);
    long[] base = groups.get(group).base();
    for (IdColumns columns : layout.columns(scope, group)) {
      long first = base[columns.table().ordinal()];
      for (int row = 0; row < rows.rows(); row++) {
        for (int i = 0; i < columns.width(); i++) {
          long id = rows.ids()[row * positions + columns.position() + i];
          out[row * width + columns.start() + i] = id == RowKey.NONE ? 0 : (int) (first + id);
        }
      }
    }
  }

  @Override
  public int size(int group) {
    return groups.get(group).size();
  }

  @Override
  public FloatBuffer rows(int group) {
    Rows rows = groups.get(group);
    return rows.weights().buffer(0, rows.weights().length());
  }

  @Override
  public void clearGradients() {
    groups.forEach(rows -> Arrays.fill(rows.gradients(), 0));
  }

  @Override
  public void add(int group, int[] slots, int positions, Floats gradients) {
    Rows rows = groups.get(group);
    SlotGradients.add(workers, slots, positions, gradients, rows.group().width(), rows.gradients());
  }

  @Override
  public double finishGradients() {
    double sum = 0;
    for (Rows rows : groups) {
      double[] sums = new double[workers.count()];
      workers.range(
          rows.gradients().length,
          Floats.TILE,
          (part, from, to) -> {
            float[] w = new float[Floats.TILE];
            float[] g = rows.gradients();
            double own = 0;
            for (long at = from; at < to; at += Floats.TILE) {
              int count = (int) Math.min(Floats.TILE, to - at);
              int start = (int) at;
              rows.weights().get(at, w, count);
              for (int i = 0; i < count; i++) {
                float gi = g[start + i] + l2 * w[i];
                g[start + i] = gi;
                own += (double) gi * gi;
              }
            }
            sums[part] = own;
          });
      sum += Arrays.stream(sums).sum();
    }
    return sum;
  }

  @Override
  public void update(double scale, double rate, long step) {
    for (Rows rows : groups) {
      // Tile borders start after the padding row, which never changes.
      int skip = rows.group().width();
      workers.range(
          rows.gradients().length - skip,
          Floats.TILE,
          (part, from, to) -> {
            float[] w = new float[Floats.TILE];
            float[] g = new float[Floats.TILE];
            float[][] s = new float[rows.state().length][Floats.TILE];
            for (long at = from + skip; at < to + skip; at += Floats.TILE) {
              int count = (int) Math.min(Floats.TILE, to + skip - at);
              rows.weights().get(at, w, count);
              System.arraycopy(rows.gradients(), (int) at, g, 0, count);
              WeightState.scale(g, count, (float) scale);
              for (int i = 0; i < s.length; i++) {
                rows.state()[i].get(at, s[i], count);
              }
              optimizer.update(w, g, s, count, rate, step);
              rows.weights().put(at, w, count);
              for (int i = 0; i < s.length; i++) {
                rows.state()[i].put(at, s[i], count);
              }
            }
          });
    }
  }

  @Override
  public void state(int group, int slot, FloatBuffer to) {
    Floats state = groups.get(group).state()[slot];
    to.put(0, state.buffer(0, state.length()), 0, Math.toIntExact(state.length()));
  }

  @Override
  public void take(int group, FloatBuffer rows, List<FloatBuffer> state) {
    Rows own = groups.get(group);
    take(own, own.weights(), rows);
    for (int i = 0; i < state.size(); i++) {
      take(own, own.state()[i], state.get(i));
    }
  }

  private static void take(Rows own, Floats to, FloatBuffer from) {
    int skip = own.group().width();
    int count = Math.toIntExact(to.length()) - skip;
    to.buffer(skip, count).put(0, from, skip, count);
  }

  @Override
  public long[] counts() {
    return layout.tables().stream().mapToLong(table -> count(of(table), table)).toArray();
  }

  @Override
  public void forEach(RowVisitor visitor) {
    for (Table table : layout.tables()) {
      Rows rows = of(table);
      int width = table.width();
      float[] row = new float[width];
      float[] part = new float[width];
      float[] state = new float[width * rows.state().length];
      long count = count(rows, table);
      for (long id = 0; id < count; id++) {
        long at = (rows.base()[table.ordinal()] + id) * width;
        rows.weights().get(at, row, width);
        for (int i = 0; i < rows.state().length; i++) {
          rows.state()[i].get(at, part, width);
          System.arraycopy(part, 0, state, i * width, width);
        }
        visitor.row(table.ordinal(), id, row, state);
      }
    }
  }

  /** The rows in which {@code table} lies. */
  private Rows of(Table table) {
    return groups.stream()
        .filter(rows -> rows.group().tables().contains(table))
        .findFirst()
        .orElseThrow();
  }

  private static long count(Rows rows, Table table) {
    List<Table> tables = rows.group().tables();
    int next = tables.indexOf(table) + 1;
    long end = next == tables.size() ? rows.size() : rows.base()[tables.get(next).ordinal()];
    return end - rows.base()[table.ordinal()];
  }

  @Override
  public void restore(int table, long id, float[] row, float[] state) {
    Rows rows = of(layout.tables().get(table));
    int width = rows.group().width();
    long at = (rows.base()[table] + id) * width;
    rows.weights().put(at, row, width);
    for (int i = 0; i < rows.state().length; i++) {
      rows.state()[i].put(at, Arrays.copyOfRange(state, i * width, (i + 1) * width), width);
    }
  }
}
