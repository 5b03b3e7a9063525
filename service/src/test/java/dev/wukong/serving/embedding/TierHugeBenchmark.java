package dev.wukong.serving.embedding;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A table that is much larger than memory: {@link TierHugeWorker} in a process that may not have
 * more of it than a few gigabytes, the pages of files counted, so that the store has to read its
 * disk.
 */
public final class TierHugeBenchmark implements Benchmark {
  static final int WIDTH = 16;
  private static final int REQUEST = 13_500;
  private static final String FOREIGN = "foreign-row";

  @Override
  public String name() {
    return "tier-huge";
  }

  @Override
  public String summary() {
    return "100 M rows of d 16 in half precision in RocksDB, 1 GiB of them in memory, in a memory"
        + " cgroup of 3 GiB; needs root and 8 GB of disk, which it keeps; some 15 minutes;"
        + " options rows=N, warm=REQUESTS, measured=REQUESTS, resident=MIB, limit=MIB,"
        + " heap=MIB, cache=MIB, readers=N, bits=16|32";
  }

  @Override
  public List<String> bugs() {
    return List.of(FOREIGN);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int rows = Math.toIntExact(context.option("rows", 100_000_000));
    int warm = Math.toIntExact(context.option("warm", 2000));
    int measured = Math.toIntExact(context.option("measured", 1000));
    long limit = context.option("limit", 3072) << 20;
    Path parts = context.makeParts();
    RowFormat format = format(context.option("bits", 16));
    String kept = "%d-%s".formatted(rows, format);
    Path store = parts.resolve("rows-" + kept);
    Path requests = draw(context, rows, warm + measured);
    List<String> command =
        List.of(
            BenchmarkContext.java().toString(),
            "-Xmx%dm".formatted(context.option("heap", 1024)),
            "--enable-native-access=ALL-UNNAMED",
            TierHugeWorker.class.getName(),
            store.toAbsolutePath().toString(),
            requests.toAbsolutePath().toString(),
            Integer.toString(rows),
            Integer.toString(warm),
            Integer.toString(measured),
            Long.toString(context.option("resident", 1024) << 20),
            Long.toString(context.option("cache", 256) << 20),
            Long.toString(context.option("readers", 4)),
            format.name(),
            Boolean.toString(context.planted(FOREIGN)));
    Map<String, Double> told;
    try (MemoryGroup group = MemoryGroup.make(limit)) {
      told = FigureProcess.run(context, group.command(command));
    }
    return figures(told, parts.resolve("loaded-" + kept), limit);
  }

  /** How a number of so many bits is kept. */
  private static RowFormat format(long bits) throws BenchmarkException {
    return switch ((int) bits) {
      case 16 -> RowFormat.FP16;
      case 32 -> RowFormat.FP32;
      default -> throw new BenchmarkException("bits is %d, allowed are 16 and 32".formatted(bits));
    };
  }

  /** The distinct ids of each request in a file: their law alone takes 8 bytes a row of memory. */
  private static Path draw(BenchmarkContext context, int rows, int count) throws IOException {
    Path file = context.parts().resolve("requests-%d-%d".formatted(rows, count));
    if (Files.exists(file)) {
      return file;
    }
    context.progress().printf("drawing %,d requests%n", count);
    context.progress().flush();
    SpreadIds spread = new SpreadIds(rows, new SplittableRandom(11));
    Path partly = file.resolveSibling(file.getFileName() + ".part");
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(partly)))) {
      for (int r = 0; r < count; r++) {
        int[] ids = IntStream.generate(spread).limit(REQUEST).distinct().toArray();
        out.writeInt(ids.length);
        for (int id : ids) {
          out.writeInt(id);
        }
      }
    }
    return Files.move(partly, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static List<Figure> figures(Map<String, Double> told, Path loaded, long limit)
      throws IOException, BenchmarkException {
    List<Figure> figures = new ArrayList<>();
    // Of the run that wrote the rows, which those after it find.
    double load = told.getOrDefault("load_rows_per_second", 0.0);
    if (load > 0) {
      Files.writeString(loaded, Double.toString(load));
    } else if (Files.exists(loaded)) {
      load = Double.parseDouble(Files.readString(loaded));
    }
    for (String name :
        List.of("rows", "disk_gib", "rows_per_second", "p50_ms_13500_ids", "p99_ms_13500_ids")) {
      figures.add(figure(told, name, limit));
    }
    figures.add(1, Figure.of("load_rows_per_second", load, "1/s"));
    for (String name : List.of("hit_rate", "read_mib_per_request", "unread_rows", "rss_gib")) {
      figures.add(figure(told, name, limit));
    }
    return figures;
  }

  private static Figure figure(Map<String, Double> told, String name, long limit)
      throws BenchmarkException {
    double value = FigureProcess.value(told, name);
    return switch (name) {
      case "rows" -> Figure.of(name, value, "1", ">=100000000", "of d 16");
      case "disk_gib" -> Figure.of(name, value, "GiB");
      case "rows_per_second" -> Figure.of(name, value, "1/s", "-", "distinct rows, one caller");
      case "hit_rate" -> Figure.of(name, value, "1", "-", "distinct rows that were in memory");
      case "read_mib_per_request" -> Figure.of(name, value, "MiB", "-", "from the disk");
      case "unread_rows" ->
          Figure.of(name, value, "1", "<=0", "took a default row, as the read took too long");
      case "rss_gib" ->
          Figure.of(
              name,
              value,
              "GiB",
              "<=3",
              "the most; with all pages of files the process had %.2f GiB"
                  .formatted(limit / (double) (1 << 30)));
      default -> Figure.of(name, value, "ms", "-", "distinct ids found, read and copied");
    };
  }
}
