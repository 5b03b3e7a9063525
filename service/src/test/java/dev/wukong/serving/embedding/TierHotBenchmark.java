package dev.wukong.serving.embedding;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.data.InputLayout;
import dev.wukong.data.UniqueRows;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * What one resident row costs on its way into a batch's buffer: found by its id, its version
 * checked, and copied; beside a copy of the same rows by their index, which needs no ids at all.
 */
public final class TierHotBenchmark implements Benchmark {
  /** Rows that a request reads: 500 candidates of 27 features. */
  private static final int REQUEST = 13_500;

  private static final int REQUESTS = 150;

  /** How often all requests are read for one measurement: enough to tell them apart. */
  private static final int ROUNDS = 4;

  private static final int PAIRS = 9;
  private static final int[] WIDTHS = {16, 64, 128};
  private static final String FOREIGN = "foreign-row";

  @Override
  public String name() {
    return "tier-hot";
  }

  @Override
  public String summary() {
    return "ns a row from resident tables into a batch's buffer, beside a plain copy; 1 minute;"
        + " options rows=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(FOREIGN);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int rows = Math.toIntExact(context.option("rows", 1_000_000));
    List<Figure> figures = new ArrayList<>();
    for (int width : WIDTHS) {
      try (Side side = new Side(width, rows, RowFormat.FP32)) {
        if (context.planted(FOREIGN)) {
          side.spoil();
        }
        SplittableRandom random = new SplittableRandom(width);
        figures.addAll(measure(context, side, "", () -> random.nextInt(rows)));
        figures.addAll(measure(context, side, "_zipf", new SpreadIds(rows, random)));
      }
      for (RowFormat format : List.of(RowFormat.FP16, RowFormat.INT8)) {
        try (Side side = new Side(width, rows, format)) {
          SplittableRandom random = new SplittableRandom(width);
          figures.add(measure(context, side, "", () -> random.nextInt(rows)).getFirst());
        }
      }
    }
    return figures;
  }

  private static List<Figure> measure(
      BenchmarkContext context, Side side, String kind, IntSupplier ids) throws BenchmarkException {
    side.draw(ids);
    side.check();
    double[] tier = new double[PAIRS];
    double[] plain = new double[PAIRS];
    for (int pair = -3; pair < PAIRS; pair++) {
      double ours = side.nanosPerRow(side::readAll);
      double theirs = side.nanosPerRow(side::copyAll);
      if (pair >= 0) {
        tier[pair] = ours;
        plain[pair] = theirs;
      }
    }
    String name =
        (side.format == RowFormat.FP32 ? "" : side.format.name().toLowerCase(Locale.ROOT) + "_")
            + "d"
            + side.width
            + kind;
    context
        .progress()
        .printf(
            "%s: %.1f ns a row (%.2f M rows/s), plain copy %.1f ns; %d distinct rows a request%n",
            name,
            Figure.median(tier),
            1e3 / Figure.median(tier),
            Figure.median(plain),
            side.rowsRead() / REQUESTS);
    return List.of(
        Figure.of(
            "ns_per_row_" + name,
            Figure.median(tier),
            "ns",
            name.equals("d16") ? "<=60" : "-",
            "found, version checked, copied; median of %d; %.1f M rows a second and core"
                .formatted(PAIRS, 1e3 / Figure.median(tier))),
        Figure.ratio("copy_ratio_" + name, tier, plain, name.equals("d128") ? "<=1.5" : "-"));
  }

  /** A resident table of one width, requests to it, and the same rows in the order of their ids. */
  private static final class Side implements AutoCloseable {
    final int width;
    final RowFormat format;
    private final int rows;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment plain;
    private final InputLayout layout;
    private final EmbeddingTier tier;
    private final TierView view;
    private final ModelInputs target;
    private final List<UniqueRows> requests = new ArrayList<>();
    private final List<int[]> indexes = new ArrayList<>();

    Side(int width, int rows, RowFormat format) {
      this.width = width;
      this.format = format;
      this.rows = rows;
      layout = OneGroup.layout(width, rows, "item");
      plain = MappedMemory.allocate(arena, (long) rows * width * Float.BYTES);
      target = new ModelInputs(layout, Element.FLOAT32, _ -> {});
      tier =
          new EmbeddingTier(
              layout,
              new RowsView("hot", 1, 0),
              new HeapRowStore(),
              RowThreads.none(),
              format,
              new int[] {rows},
              true,
              List.of(new float[width]),
              new RowMeters("hot", new SimpleMeterRegistry()));
      fill();
      view = tier.open();
    }

    private void fill() {
      SplittableRandom random = new SplittableRandom(1);
      float[] row = new float[width];
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < width; j++) {
          // Whole, and the largest the one that a byte holds: every format keeps it as it is.
          row[j] = j == 0 ? Byte.MAX_VALUE : random.nextInt(-Byte.MAX_VALUE, Byte.MAX_VALUE + 1);
        }
        MemorySegment.copy(
            row, 0, plain, ValueLayout.JAVA_FLOAT, (long) i * width * Float.BYTES, width);
      }
      // In an order of their own, as rows come from misses: the table's places say nothing of ids.
      int[] order = new SplittableRandom(2).ints(rows, 0, rows).toArray();
      for (int id : order) {
        install(id);
      }
      for (int id = 0; id < rows; id++) {
        install(id);
      }
      tier.markComplete();
    }

    private void install(int id) {
      float[] row = new float[width];
      MemorySegment.copy(
          plain, ValueLayout.JAVA_FLOAT, (long) id * width * Float.BYTES, row, 0, width);
      if (!tier.install(0, new long[] {id}, 1, row)) {
        throw new IllegalStateException("no room for row " + id);
      }
    }

    /** Makes one of the rows that requests are compared with another one. */
    void spoil() {
      for (long i = 0; i < rows; i++) {
        plain.setAtIndex(ValueLayout.JAVA_FLOAT, i * width, -1);
      }
    }

    void draw(IntSupplier ids) {
      requests.clear();
      indexes.clear();
      for (int r = 0; r < REQUESTS; r++) {
        UniqueRows unique = new UniqueRows(layout);
        for (int i = 0; i < REQUEST; i++) {
          unique.slotOf(0, ids.getAsInt());
        }
        int[] index = new int[unique.size(0)];
        for (int i = 0; i < index.length; i++) {
          index[i] = (int) unique.key(0, i + 1);
        }
        requests.add(unique);
        indexes.add(index);
      }
    }

    /** Both ways must give the same rows. */
    void check() throws BenchmarkException {
      try (Arena own = Arena.ofConfined()) {
        for (int r = 0; r < REQUESTS; r += 50) {
          MemorySegment read = read(r);
          MemorySegment copied = own.allocate(read.byteSize());
          copy(indexes.get(r), copied);
          long differs = read.mismatch(copied);
          if (differs >= 0) {
            throw new BenchmarkException(
                "request %d: row %d of width %d is not the one of its id"
                    .formatted(r, differs / (width * (long) Float.BYTES), width));
          }
        }
      }
    }

    private MemorySegment read(int request) {
      UniqueRows unique = requests.get(request);
      target.begin(0, 1);
      if (view.copyRows(0, unique, target, System.nanoTime()) != null) {
        throw new IllegalStateException(
            "request %d has a row that is not there".formatted(request));
      }
      int count = unique.size(0);
      long row = (long) width * Float.BYTES;
      return target.rows(0, count).asSlice(row, count * row); // Slot 0 is padding.
    }

    long readAll() {
      for (int r = 0; r < REQUESTS; r++) {
        read(r);
      }
      return rowsRead();
    }

    long copyAll() {
      long row = (long) width * Float.BYTES;
      for (int r = 0; r < REQUESTS; r++) {
        int[] index = indexes.get(r);
        copy(index, target.rows(0, index.length).asSlice(row, index.length * row));
      }
      return rowsRead();
    }

    private void copy(int[] index, MemorySegment to) {
      long bytes = (long) width * Float.BYTES;
      for (int i = 0; i < index.length; i++) {
        MemorySegment.copy(plain, index[i] * bytes, to, i * bytes, bytes);
      }
    }

    long rowsRead() {
      return indexes.stream().mapToLong(index -> index.length).sum();
    }

    double nanosPerRow(LongSupplier side) {
      long _ =
          side.getAsLong(); // What the processor's caches hold is this side's own from here on.
      long began = System.nanoTime();
      long read = 0;
      for (int round = 0; round < ROUNDS; round++) {
        read += side.getAsLong();
      }
      return (System.nanoTime() - began) / (double) read;
    }

    @Override
    public void close() {
      view.close();
      target.close();
      arena.close();
    }
  }
}
