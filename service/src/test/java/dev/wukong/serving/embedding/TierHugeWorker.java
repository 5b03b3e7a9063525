package dev.wukong.serving.embedding;

import dev.wukong.data.InputLayout;
import dev.wukong.data.UniqueRows;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The process of {@link TierHugeBenchmark}: writes the rows that are not there yet, then reads what
 * the requests of a file ask for.
 */
final class TierHugeWorker {
  private static final int WIDTH = TierHugeBenchmark.WIDTH;

  private final PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
  private final Path folder;
  private final Path requests;
  private final int rows;
  private final int warm;
  private final int measured;
  private final long resident;
  private final long cache;
  private final int readers;
  private final RowFormat format;
  private final boolean foreign;

  private TierHugeWorker(String[] args) {
    folder = Path.of(args[0]);
    requests = Path.of(args[1]);
    rows = Integer.parseInt(args[2]);
    warm = Integer.parseInt(args[3]);
    measured = Integer.parseInt(args[4]);
    resident = Long.parseLong(args[5]);
    cache = Long.parseLong(args[6]);
    readers = Integer.parseInt(args[7]);
    format = RowFormat.valueOf(args[8]);
    foreign = Boolean.parseBoolean(args[9]);
  }

  public static void main(String[] args) throws Exception {
    new TierHugeWorker(args).run();
  }

  private void run() throws Exception {
    FilledTable table = new FilledTable(new RowsView("huge", 1, 0), WIDTH, rows);
    long began = System.nanoTime();
    try (RocksRowStore store = RocksRowStore.open(folder, format, cache)) {
      int written = table.fill(store, out);
      if (written > 0) {
        FigureProcess.tell("load_rows_per_second", written / ((System.nanoTime() - began) / 1e9));
      }
    }
    forgetPages();
    try (RocksRowStore store = RocksRowStore.open(folder, format, cache)) {
      read(store, table.view());
    }
    FigureProcess.tell("rows", rows);
    FigureProcess.tell("disk_gib", diskBytes() / (double) (1 << 30));
    FigureProcess.tell("rss_gib", FigureProcess.number("status", "VmHWM:") / (double) (1 << 20));
  }

  /** What the kernel holds of the files, in this process's name or another's, goes. */
  private void forgetPages() throws IOException, InterruptedException {
    out.println("dropping the files' pages");
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        int status =
            new ProcessBuilder(
                    "dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        if (status != 0) {
          throw new IOException("dd of %s ends with status %d".formatted(file, status));
        }
      }
    }
  }

  private long diskBytes() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  private void read(RocksRowStore store, RowsView view) throws IOException {
    InputLayout layout = OneGroup.layout(WIDTH, rows, "item");
    int capacity = (int) Math.min(rows, OneGroup.capacity(format, layout, resident));
    out.printf("%,d rows have room in memory%n", capacity);
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    double[] millis = new double[measured];
    long distinct = 0;
    long found = 0;
    long unread = 0;
    long readBefore = 0;
    try (RowThreads threads = RowThreads.start(readers, meters);
        ModelInputs target = new ModelInputs(layout, Element.FLOAT32, _ -> {});
        DataInputStream in =
            new DataInputStream(new BufferedInputStream(Files.newInputStream(requests)));
        TierView tier =
            OneGroup.tier(layout, view, store, threads, format, capacity, new float[WIDTH], meters)
                .open()) {
      UniqueRows unique = new UniqueRows(layout);
      long lastTold = System.nanoTime();
      for (int r = 0; r < warm + measured; r++) {
        int[] ids = new int[in.readInt()];
        for (int i = 0; i < ids.length; i++) {
          ids[i] = in.readInt();
        }
        if (r >= warm) {
          for (int id : ids) {
            found += tier.resident(0, id) ? 1 : 0;
          }
          readBefore = r == warm ? FigureProcess.number("io", "read_bytes:") : readBefore;
        }
        long began = System.nanoTime();
        unique.clear();
        for (int id : ids) {
          unique.slotOf(0, id);
        }
        target.begin(0, 1);
        Defaulted without = tier.copyRows(0, unique, target, Long.MAX_VALUE / 2);
        long took = System.nanoTime() - began;
        unread += check(r, ids, without, target);
        if (r >= warm) {
          millis[r - warm] = took / 1e6;
          distinct += ids.length;
        }
        if (System.nanoTime() - lastTold > 10e9) {
          lastTold = System.nanoTime();
          out.printf("request %d of %d: %.1f ms%n", r, warm + measured, took / 1e6);
        }
      }
    }
    FigureProcess.tell(
        "read_mib_per_request",
        (FigureProcess.number("io", "read_bytes:") - readBefore) / (double) (1 << 20) / measured);
    FigureProcess.tell("hit_rate", found / (double) distinct);
    FigureProcess.tell("unread_rows", (double) unread);
    FigureProcess.tell("rows_per_second", distinct / (Arrays.stream(millis).sum() / 1e3));
    Arrays.sort(millis);
    FigureProcess.tell("p50_ms_13500_ids", millis[measured / 2]);
    FigureProcess.tell("p99_ms_13500_ids", millis[Math.min(measured - 1, measured * 99 / 100)]);
  }

  /** How many rows could not be read. */
  private int check(int request, int[] ids, @Nullable Defaulted without, ModelInputs target) {
    BitSet defaulted = without == null ? new BitSet() : without.slots();
    BitSet unread = without == null ? new BitSet() : without.unread();
    if (defaulted.cardinality() > unread.cardinality()) {
      throw new IllegalStateException(
          "request %d: %d rows are not there"
              .formatted(request, defaulted.cardinality() - unread.cardinality()));
    }
    MemorySegment read = target.rows(0, ids.length);
    for (int i = 0; i < ids.length; i++) {
      if (!defaulted.get(i + 1)) {
        FilledTable.requireOwn(foreign ? ids[i] + 1000 : ids[i], read, i + 1, WIDTH);
      }
    }
    return unread.cardinality();
  }
}
