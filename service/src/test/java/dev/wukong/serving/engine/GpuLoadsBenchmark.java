package dev.wukong.serving.engine;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.NativeHeap;
import dev.wukong.serving.engine.EngineLoad.Batch;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Whether models that come and go leave memory of the device behind. */
public final class GpuLoadsBenchmark implements Benchmark {
  private static final String LEAK = "leak";
  private static final int MAX_ROWS = 512;

  private static final int LEAST_LOADS = 100;

  @Override
  public String name() {
    return "gpu-loads";
  }

  @Override
  public String summary() {
    return "memory of a GPU after 1,000 loads and unloads of a model; 5 minutes; options"
        + " device=cuda:0|cpu, model=small|large|m, loads=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(LEAK);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    EngineLoad load = EngineLoad.of(context, "small");
    int loads = (int) context.option("loads", 1000);
    if (loads < LEAST_LOADS) {
      throw new BenchmarkException(
          "option 'loads' is %d, want %d or more: the first tenth takes what stays for good"
              .formatted(loads, LEAST_LOADS));
    }
    byte[] graph = load.graph(context.makeParts(), 27_000);
    NativeHeap.giveBackLargeBlocks(); // As the service does.
    List<BoundEngine> leaked = new ArrayList<>();
    long[] used = new long[loads + 1];
    try (Batch batch = load.batch(MAX_ROWS, 1)) {
      for (int i = 0; i <= loads; i++) {
        BoundEngine engine = load.engine(graph, MAX_ROWS, 2, true);
        batch.run(engine);
        if (context.planted(LEAK) && i % 10 == 0) {
          leaked.add(engine);
        } else {
          engine.close();
        }
        used[i] = usedBytes(load);
        if (i % Math.max(1, loads / 10) == 0) {
          context
              .progress()
              .printf(Locale.ROOT, "load %d: %.1f MiB used%n", i, used[i] / 1048576.0);
          context.progress().flush();
        }
      }
    }
    leaked.forEach(BoundEngine::close);
    // The first tenth takes what stays for good: kernels, handles, an allocator's reserve.
    long before = used[loads / 10];
    double growth = (used[loads] - before) / 1048576.0;
    return List.of(
        Figure.of("loads" + load.suffix(), loads, "1", load.target(">=1000"), ""),
        Figure.of(
            "memory_growth_mib" + load.suffix(),
            growth,
            "MiB",
            "<=16",
            "from load %d, with %.1f MiB, to the last; %s"
                .formatted(
                    loads / 10,
                    before / 1048576.0,
                    load.device() instanceof Device.Cpu
                        ? "the process's resident memory outside of the heap"
                        : "of the device, all processes")));
  }

  private static long usedBytes(EngineLoad load) throws IOException {
    return switch (load.device()) {
      case Device.Cpu() ->
          4096 * Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ", -1)[1])
              - ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getCommitted();
      case Device.Cuda _ -> -load.accelerator().freeBytes();
    };
  }
}
