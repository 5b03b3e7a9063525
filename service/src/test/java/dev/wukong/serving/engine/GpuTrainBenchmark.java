package dev.wukong.serving.engine;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import dev.wukong.config.Section;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.RowKey;
import dev.wukong.figures.LoadModel;
import dev.wukong.runtime.Device;
import dev.wukong.serving.engine.EngineLoad.Batch;
import dev.wukong.training.SessionRows;
import dev.wukong.training.TrainSession;
import dev.wukong.training.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;

/** How quick steps are on a GPU, and what they cost those who are answered beside. */
public final class GpuTrainBenchmark implements Benchmark {
  private static final int IDS = 100_000;
  private static final long ROWS = 27_000;

  @Override
  public String name() {
    return "gpu-train";
  }

  @Override
  public String summary() {
    return "a step of model M on a GPU with its state there, and p99 of the engine beside it; 3"
        + " minutes; options device=cuda:0|cpu, model=m|large|small, batch=N, steps-per-run=N,"
        + " pairs=N, blocks=N, runs=N, rows-in=auto|device|host";
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    EngineLoad load = EngineLoad.of(context, "m");
    boolean cpu = load.device() instanceof Device.Cpu;
    int batch = (int) context.option("batch", 4096);
    int perRun = (int) context.option("steps-per-run", 8);
    int pairs = (int) context.option("pairs", 5);
    int blocks = (int) context.option("blocks", cpu ? 2 : 20);
    int runs = (int) context.option("runs", cpu ? 20 : 2000);
    byte[] graph = load.graph(context.makeParts(), ROWS);
    EncodedExamples examples = examples(batch * perRun);
    double[] ours = new double[pairs];
    double[] theirs = new double[pairs];
    String rowsIn = context.options().getOrDefault("rows-in", cpu ? "device" : "auto");
    double[] found = new double[pairs];
    double[] moved = new double[pairs];
    double[] with = new double[pairs];
    double[] without = new double[pairs];
    try (TrainSession device =
            session(load.model(), load.device(), batch, perRun, "device", rowsIn);
        TrainSession inOut = session(load.model(), load.device(), batch, perRun, "graph", "host");
        BoundEngine engine = load.engine(graph, 512, 2, true)) {
      device.steps(examples, 1);
      device.steps(examples, 1);
      inOut.steps(examples, 1);
      for (int i = 0; i < pairs; i++) {
        theirs[i] = millis(perRun, blocks, () -> inOut.steps(examples, 1));
        ours[i] = millis(perRun, blocks, () -> device.steps(examples, 1));
        found[i] = millis(perRun, blocks, () -> SessionRows.move(inOut, examples, false));
        moved[i] = millis(perRun, blocks, () -> SessionRows.move(inOut, examples, true));
        without[i] = p99(load, engine, runs);
        with[i] = beside(device, examples, () -> p99(load, engine, runs));
        context
            .progress()
            .printf(
                Locale.ROOT,
                "pair %d: %.2f ms a step, %.2f in and out; p99 of 512 candidates %.3f ms with, %.3f"
                    + " without training%n",
                i + 1,
                ours[i],
                theirs[i],
                with[i],
                without[i]);
        context.progress().flush();
      }
    }
    String of = load.suffix();
    List<Figure> figures = new ArrayList<>();
    figures.add(
        Figure.of(
            "ms_per_step_" + batch + of,
            Figure.median(ours),
            "ms",
            load.target("<=8.1"),
            "%s, %d steps a run, rows included; all state in and out each run %.2f"
                .formatted(load.model().title(), perRun, Figure.median(theirs))));
    figures.add(
        Figure.of(
            "rows_ms_per_step_" + batch + of,
            Figure.median(found),
            "ms",
            "-",
            "what processors do for the rows of a step where rows stay on the device; where they"
                + " come and go %.2f".formatted(Figure.median(moved))));
    figures.add(Figure.ratio("step_time_vs_in_and_out" + of, ours, theirs, "-"));
    figures.add(Figure.ratio("predict_p99_ratio" + of, with, without, load.target("<=1.25")));
    return figures;
  }

  private static TrainSession session(
      LoadModel model, Device device, int batch, int perRun, String place, String rowsIn) {
    TrainingConfig config =
        TrainingConfig.read(
            Section.parse(
                "training",
                """
                batch: %d
                seed: 1
                threads: %d
                optimizer_in: %s
                steps_per_run: %d
                rows_in: %s
                """
                    .formatted(
                        batch, Runtime.getRuntime().availableProcessors(), place, perRun, rowsIn)));
    return new TrainSession(
        model.config(), model.config().layout(LoadModel.schema(IDS)), config, device, _ -> IDS);
  }

  /** Of one of the steps that {@code run} makes, the median. */
  private static double millis(int perRun, int blocks, Runnable run) {
    double[] each = new double[blocks];
    for (int i = 0; i < blocks; i++) {
      long began = System.nanoTime();
      run.run();
      each[i] = (System.nanoTime() - began) / 1e6 / perRun;
    }
    return Figure.median(each);
  }

  private interface Measured {
    double get() throws Exception;
  }

  private static double beside(TrainSession session, EncodedExamples examples, Measured measured)
      throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    Thread training =
        Thread.ofPlatform()
            .name("training")
            .start(
                () -> {
                  while (!done.get()) {
                    List<TrainSession.Step> _ = session.steps(examples, 1);
                  }
                });
    try {
      return measured.get();
    } finally {
      done.set(true);
      training.join();
    }
  }

  private static double p99(EngineLoad load, BoundEngine engine, int runs) {
    try (Batch batch = load.batch(512, 3)) {
      double[] millis = new double[runs];
      for (int i = 0; i < runs; i++) {
        long began = System.nanoTime();
        batch.run(engine);
        millis[i] = (System.nanoTime() - began) / 1e6;
      }
      return GpuPredictBenchmark.percentile(millis, 0.99);
    }
  }

  /** Ids of which few are frequent. */
  private static EncodedExamples examples(int rows) {
    SplittableRandom random = new SplittableRandom(1);
    float[] labels = new float[rows];
    float[] weights = new float[rows];
    Arrays.fill(weights, 1);
    for (int i = 0; i < rows; i++) {
      labels[i] = random.nextInt(4) == 0 ? 1 : 0;
    }
    return new EncodedExamples(
        ids(rows, LoadModel.CONTEXT_FEATURES, random),
        ids(rows, LoadModel.CANDIDATE_FEATURES, random),
        labels,
        weights);
  }

  private static EncodedRows ids(int rows, int features, SplittableRandom random) {
    long[] ids = new long[rows * features];
    Arrays.setAll(
        ids, _ -> RowKey.FIRST + (long) Math.pow(IDS - RowKey.FIRST - 1, random.nextDouble()));
    return new EncodedRows(rows, ids, new float[0], new float[0]);
  }
}
