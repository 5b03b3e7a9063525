package dev.wukong.serving.embedding;

import dev.wukong.data.InputLayout;
import dev.wukong.data.UniqueRows;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.simulator.Zipf;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** The process of {@link TierBudgetBenchmark}. */
final class TierBudgetWorker {
  private static final String OPEN_VIEWS = "open-views";
  private static final String LEAKED_TABLES = "leaked-tables";
  static final List<String> BUGS = List.of(OPEN_VIEWS, LEAKED_TABLES);

  private static final int WIDTH = 16;
  private static final int REQUEST = 4000;
  private static final double SKEW = 1.05;

  /** A prime: rank by rank, ids lie apart. */
  private static final long STEP = 2_654_435_761L;

  /** The hottest ids have all been replaced after this many seconds. */
  private static final int RENEWED_SECONDS = 100;

  private static final int CHANGED = 2000;
  private static final long FILE_BYTES = 16 << 20;
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  private static final int SAMPLE_SECONDS = 5;
  private static final int WARM_SECONDS = 20;

  private final int rows;
  private final String bug;
  private final InputLayout layout;
  private final FilledTable table;
  private final Zipf zipf;
  private final SplittableRandom random = new SplittableRandom(17);
  private final MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);

  /** What a defect keeps. */
  private final List<AutoCloseable> kept = new ArrayList<>();

  private long nativeBefore;
  private long heapBefore;
  private long most;
  private long mostNative;
  private long mostHeap;
  private int samples;
  private double evictedHalfway;
  private long lookups;
  private int commits;

  private TierBudgetWorker(int rows, String bug) {
    this.rows = rows;
    this.bug = bug;
    this.layout = OneGroup.layout(WIDTH, rows, "item");
    this.table = new FilledTable(new RowsView("budget", 1, 0), WIDTH, rows);
    this.zipf = new Zipf(rows, SKEW);
  }

  public static void main(String[] args) throws Exception {
    int rows = Integer.parseInt(args[2]);
    new TierBudgetWorker(rows, args[5])
        .run(
            Path.of(args[0]),
            Integer.parseInt(args[1]),
            Long.parseLong(args[3]),
            Long.parseLong(args[4]));
  }

  private void run(Path folder, int minutes, long resident, long cache) throws Exception {
    try (RocksRowStore store = RocksRowStore.open(folder, RowFormat.FP32, cache, FILE_BYTES)) {
      int _ = table.fill(store, out);
    }
    // Code, classes, threads and what the allocator keeps are there before it counts.
    try (RowThreads threads = RowThreads.start(2, meters)) {
      try (RocksRowStore store = RocksRowStore.open(folder, RowFormat.FP32, 1 << 20, FILE_BYTES)) {
        churn(store, threads, capacity(resident / 8), WARM_SECONDS, false);
      }
      lookups = 0;
      commits = 0;
      double evicted = evicted();
      nativeBefore = anonymous();
      heapBefore = liveHeap();
      int capacity = capacity(resident);
      try (RocksRowStore store = RocksRowStore.open(folder, RowFormat.FP32, cache, FILE_BYTES)) {
        double full = churn(store, threads, capacity, 60L * minutes, true) / (double) capacity;
        FigureProcess.tell("full", full);
      }
      FigureProcess.tell("evicted", evicted() - evicted);
      FigureProcess.tell("late", (evicted() - evictedHalfway) / (evictedHalfway - evicted));
    }
    FigureProcess.tell("minutes", minutes);
    FigureProcess.tell("budget", (double) (resident + cache + 2 * FILE_BYTES));
    FigureProcess.tell("most", (double) most);
    FigureProcess.tell("native", (double) mostNative);
    FigureProcess.tell("heap", (double) mostHeap);
    FigureProcess.tell("samples", samples);
    FigureProcess.tell("lookups", (double) lookups);
    FigureProcess.tell("commits", commits);
  }

  private double evicted() {
    return meters.find("wukong.embedding.evictions").counters().stream()
        .mapToDouble(counter -> counter.count())
        .sum();
  }

  private int capacity(long bytes) {
    return (int) OneGroup.capacity(RowFormat.FP32, layout, bytes);
  }

  private EmbeddingTier tier(RowStore store, RowThreads threads, int capacity) {
    RowsView view = table.view();
    return OneGroup.tier(
        layout,
        new RowsView(view.model(), view.bundle(), store.version(view)),
        store,
        threads,
        RowFormat.FP32,
        capacity,
        new float[WIDTH],
        meters);
  }

  /** Reads and changes rows for some seconds; the most rows that were in memory. */
  private long churn(
      RocksRowStore store, RowThreads threads, int capacity, long seconds, boolean counts)
      throws IOException {
    TierView view = tier(store, threads, capacity).open();
    long resident = 0;
    try (ModelInputs target = new ModelInputs(layout, Element.FLOAT32, _ -> {})) {
      UniqueRows unique = new UniqueRows(layout);
      long began = System.nanoTime();
      for (long second = 1; second <= seconds; second++) {
        while (System.nanoTime() - began < second * SECOND) {
          look(view, unique, target, began);
        }
        view = commit(view, began);
        resident = Math.max(resident, view.tier().residentRows());
        if (second == seconds / 2) {
          evictedHalfway = evicted();
        }
        if (counts && second % SAMPLE_SECONDS == 0) {
          sample(second);
          leak(store, threads, capacity);
        }
      }
    } finally {
      view.close();
    }
    return resident;
  }

  /** Which id has {@code rank} now. */
  private int id(int rank, long began) {
    // The most asked for of them are some hundredth of the table.
    double seconds = (System.nanoTime() - began) / (double) SECOND;
    long drift = (long) (seconds / RENEWED_SECONDS * rows / 100);
    return (int) ((rank + drift) * STEP % rows);
  }

  private void look(TierView view, UniqueRows unique, ModelInputs target, long began) {
    int[] ids =
        IntStream.generate(() -> id(zipf.rank(random.nextDouble()), began))
            .limit(REQUEST)
            .distinct()
            .toArray();
    unique.clear();
    for (int id : ids) {
      unique.slotOf(0, id);
    }
    target.begin(0, 1);
    Defaulted without = view.copyRows(0, unique, target, Long.MAX_VALUE / 2);
    MemorySegment read = target.rows(0, ids.length);
    for (int i = 0; i < ids.length; i++) {
      if (without == null || !without.slots().get(i + 1)) {
        FilledTable.requireOwn(ids[i], read, i + 1, WIDTH);
      }
    }
    lookups += ids.length;
  }

  /**
   * Changes some rows that are asked for now; the view that sees them is open, the other is not.
   */
  private TierView commit(TierView view, long began) {
    long[] keys =
        IntStream.generate(() -> id(zipf.rank(random.nextDouble()), began))
            .limit(2 * CHANGED)
            .distinct()
            .limit(CHANGED)
            .asLongStream()
            .toArray();
    float[] changed = new float[keys.length * WIDTH];
    for (int i = 0; i < changed.length; i++) {
      changed[i] = random.nextFloat() - 0.5F;
    }
    for (int i = 0; i < keys.length; i++) {
      FilledTable.sign(keys[i], changed, i * WIDTH);
    }
    TierView next =
        view.tier().commit(List.of(new RowCommit.Changes(WIDTH, keys, changed, new long[0])));
    commits++;
    if (bug.equals(OPEN_VIEWS)) {
      kept.add(view);
    } else {
      view.close();
    }
    return next;
  }

  private void leak(RocksRowStore store, RowThreads threads, int capacity) {
    if (bug.equals(LEAKED_TABLES)) {
      EmbeddingTier leaked = tier(store, threads, capacity / 20);
      long[] key = new long[1];
      for (int i = 0; i < capacity / 20; i++) {
        key[0] = i;
        boolean _ = leaked.install(0, key, 1, new float[WIDTH]);
      }
      kept.add(leaked);
    }
  }

  private void sample(long second) throws IOException {
    long heap = liveHeap() - heapBefore;
    long outside = anonymous() - nativeBefore;
    if (heap + outside > most) {
      most = heap + outside;
      mostNative = outside;
      mostHeap = heap;
    }
    samples++;
    if (samples % 6 == 1) {
      out.printf(
          "%d s: native %d MiB, heap %d MiB, %d lookups%n",
          second, outside >> 20, heap >> 20, lookups);
    }
  }

  private static long anonymous() throws IOException {
    return FigureProcess.number("status", "RssAnon:") << 10;
  }

  /** What is reachable; the collector looks now. */
  private long liveHeap() {
    memory.gc();
    return memory.getHeapMemoryUsage().getUsed();
  }
}
