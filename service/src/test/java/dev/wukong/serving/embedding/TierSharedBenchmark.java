package dev.wukong.serving.embedding;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * What a version costs that has most rows as the one before: disk, load, reads; beside one that has
 * none of them.
 */
public final class TierSharedBenchmark implements Benchmark {
  private static final int WIDTH = 16;
  private static final String EARLIER = "earlier-version";

  /** Rows that go to the store together, and that are read together. */
  private static final int CHUNK = 8192;

  private static final int SAMPLED = 1 << 16;

  private static final RowsView FIRST = new RowsView("shared", 1, 0);
  private static final RowsView SECOND = new RowsView("shared", 2, 0);
  private static final RowsView OTHER = new RowsView("shared", 3, 0);

  /**
   * Which rows differ between versions.
   *
   * @param rows ids from 0 on
   * @param every of the second version one row in so many is another; of the third all are
   */
  private record Versions(int rows, int every) {
    float[] row(RowsView view, long id) {
      boolean changed = view.equals(OTHER) || (view.equals(SECOND) && id % every == 0);
      SplittableRandom random = new SplittableRandom(changed ? view.bundle() << 40 | id : id);
      float[] row = new float[WIDTH];
      for (int i = 0; i < WIDTH; i++) {
        row[i] = random.nextFloat() - 0.5F;
      }
      return row;
    }

    RowSample.Rows some(RowsView view, long[] keys) {
      float[] values = new float[keys.length * WIDTH];
      for (int i = 0; i < keys.length; i++) {
        System.arraycopy(row(view, keys[i]), 0, values, i * WIDTH, WIDTH);
      }
      return new RowSample.Rows(WIDTH, keys, values);
    }

    long[] drawn(SplittableRandom random, int count) {
      return random.longs(count, 0, rows).sorted().distinct().toArray();
    }
  }

  /** What a load took. */
  private record Loaded(double rowsPerSecond, long bytes) {}

  @Override
  public String name() {
    return "tier-shared";
  }

  @Override
  public String summary() {
    return "a version with 1 % of its rows changed beside the one before in RocksDB, and one with"
        + " all of them changed: disk, load, reads; a minute or two; options rows=N, every=N,"
        + " reads=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(EARLIER);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    Versions versions =
        new Versions(
            Math.toIntExact(context.option("rows", 5_000_000)),
            Math.toIntExact(context.option("every", 100)));
    int reads = Math.toIntExact(context.option("reads", 200));
    Path folder = Files.createTempDirectory(context.makeParts(), "shared");
    try (RocksRowStore store = RocksRowStore.open(folder, RowFormat.FP32, 1L << 30)) {
      Loaded first = load(store, folder, FIRST, versions);
      Loaded second = load(store, folder, SECOND, versions);
      Loaded other = load(store, folder, OTHER, versions);
      List<Figure> figures = new ArrayList<>();
      figures.add(
          Figure.of("bytes", (double) first.bytes(), "B", "-", "on disk, of a version alone"));
      figures.add(
          Figure.of(
              "bytes_of_next",
              (double) second.bytes() / first.bytes(),
              "1",
              "<=0.05",
              "of a version with one row in %d changed, by that".formatted(versions.every())));
      figures.add(Figure.of("load", first.rowsPerSecond(), "1/s", "-", "the first version"));
      figures.add(
          Figure.of(
              "load_of_next",
              second.rowsPerSecond() / first.rowsPerSecond(),
              "1",
              "-",
              "the next one, which is compared with the first, by that"));
      figures.add(
          Figure.of(
              "load_of_other",
              other.rowsPerSecond() / first.rowsPerSecond(),
              "1",
              "-",
              "one that is all new, which the sample tells, by that"));
      figures.addAll(reads(store, versions, reads, context.planted(EARLIER)));
      figures.addAll(drops(store, folder, first, versions));
      return figures;
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static Loaded load(RowStore store, Path folder, RowsView view, Versions versions)
      throws IOException {
    long before = bytes(folder);
    long writing = 0;
    long began = System.nanoTime();
    long[] sampled = versions.drawn(new SplittableRandom(7), SAMPLED);
    try (BulkRows bulk = store.bulk(view, "digest", () -> List.of(versions.some(view, sampled)))) {
      writing += System.nanoTime() - began;
      for (int from = 0; from < versions.rows(); from += CHUNK) {
        long[] keys = new long[Math.min(CHUNK, versions.rows() - from)];
        Arrays.setAll(keys, i -> i);
        for (int i = 0; i < keys.length; i++) {
          keys[i] += from;
        }
        RowSample.Rows rows = versions.some(view, keys);
        long added = System.nanoTime();
        bulk.add(WIDTH, keys, keys.length, rows.rows());
        writing += System.nanoTime() - added;
      }
      long ends = System.nanoTime();
      bulk.finish();
      writing += System.nanoTime() - ends;
    }
    return new Loaded(versions.rows() * 1e9 / writing, bytes(folder) - before);
  }

  /** The same reads of the first two versions in turn. */
  private static List<Figure> reads(
      RocksRowStore store, Versions versions, int reads, boolean earlier) {
    SplittableRandom random = new SplittableRandom(9);
    long[] nanos = new long[2];
    long wrong = 0;
    long all = 0;
    try (RowReader first = store.reader(FIRST);
        RowReader second = store.reader(earlier ? FIRST : SECOND)) {
      for (int r = 0; r < reads; r++) {
        long[] keys = versions.drawn(random, CHUNK);
        for (int v = 0; v < 2; v++) {
          float[] out = new float[keys.length * WIDTH];
          RowFate[] fates = new RowFate[keys.length];
          long began = System.nanoTime();
          (v == 0 ? first : second).read(WIDTH, keys, keys.length, out, fates);
          // A first part warms code and caches.
          nanos[v] += r < reads / 4 ? 0 : System.nanoTime() - began;
          float[] must = versions.some(v == 0 ? FIRST : SECOND, keys).rows();
          for (int i = 0; i < keys.length; i++) {
            int at = i * WIDTH;
            boolean same = Arrays.equals(out, at, at + WIDTH, must, at, at + WIDTH);
            wrong += same && fates[i] == RowFate.FOUND ? 0 : 1;
          }
          all += keys.length;
        }
      }
    }
    return List.of(
        Figure.of(
            "read_of_next",
            (double) nanos[1] / nanos[0],
            "1",
            "-",
            "time of a read of the next version by one of the first, as stored, none in memory"),
        Figure.of("wrong", (double) wrong, "1", "<=0", "of %,d rows read".formatted(all)));
  }

  private static List<Figure> drops(
      RocksRowStore store, Path folder, Loaded first, Versions versions) throws IOException {
    long before = bytes(folder);
    long began = System.nanoTime();
    store.drop(OTHER);
    double seconds = (System.nanoTime() - began) / 1e9;
    long withoutOther = bytes(folder);
    store.drop(FIRST);
    try (RowReader second = store.reader(SECOND)) {
      long[] keys = versions.drawn(new SplittableRandom(1), CHUNK);
      second.read(WIDTH, keys, keys.length, new float[keys.length * WIDTH], new RowFate[CHUNK]);
    }
    store.drop(SECOND);
    return List.of(
        Figure.of("drop", seconds, "s", "-", "of a version that shares nothing"),
        Figure.of(
            "freed",
            (double) (before - withoutOther) / first.bytes(),
            "1",
            ">=0.95",
            "of its bytes"),
        Figure.of(
            "left",
            (double) bytes(folder) / first.bytes(),
            "1",
            "<=0.01",
            "bytes once all three are dropped, by those of one"));
  }

  /** The bytes of all files of rows. */
  private static long bytes(Path folder) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".sst")).toList()) {
        try {
          bytes += Files.size(file);
        } catch (NoSuchFileException e) {
          // It has gone meanwhile, as it should.
        }
      }
    }
    return bytes;
  }
}
