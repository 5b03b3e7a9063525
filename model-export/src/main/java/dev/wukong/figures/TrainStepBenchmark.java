package dev.wukong.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A training step beside PyTorch's. Both sides start from the same weights and rows and see the
 * same batches; their first losses must agree, or the run is void. Then they make steps in turn,
 * each in a process of its own, kept alive.
 */
public final class TrainStepBenchmark implements Benchmark {
  private static final String WRONG_WEIGHTS = "other-layer-count";
  private static final int CHECKED_STEPS = 5;
  private static final double MAX_DIFFERENCE = 1e-4;

  /** One side's steps of each pair, and its memory. */
  private record Measured(double[] milliseconds, double memory) {}

  @Override
  public String name() {
    return "train-step";
  }

  @Override
  public String summary() {
    return "a training step against PyTorch eager at three sizes, and the memory of both; 5 minutes"
        + " after PyTorch is installed; options pairs=9, adam=fused|default, size=d16|d128|d10";
  }

  @Override
  public List<String> bugs() {
    return List.of(WRONG_WEIGHTS);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int pairs = Math.toIntExact(Math.clamp(context.option("pairs", 9), 1, 1000));
    String adam = context.options().getOrDefault("adam", "fused");
    if (!List.of("fused", "default").contains(adam)) {
      throw new BenchmarkException("option 'adam' is '" + adam + "', want fused or default");
    }
    String only = context.options().getOrDefault("size", "");
    List<StepSize> sizes =
        Arrays.stream(StepSize.values())
            .filter(size -> only.isEmpty() || size.label().equals(only))
            .toList();
    if (sizes.isEmpty()) {
      throw new BenchmarkException("option 'size' is '" + only + "', want d16, d128 or d10");
    }
    Path parts = context.makeParts();
    PythonEnvironment python =
        PythonEnvironment.of(parts.resolve("venv"), List.of("numpy", "torch"), context.progress());
    List<Figure> figures = new ArrayList<>();
    StringBuilder memories = new StringBuilder();
    double worst = 0;
    for (StepSize size : sizes) {
      List<Measured> sides = measure(context, python, size, pairs, adam);
      Measured ours = sides.getFirst();
      Measured theirs = sides.getLast();
      Figure ratio =
          Figure.ratio(
              "step_time_vs_torch_" + size.label(),
              ours.milliseconds(),
              theirs.milliseconds(),
              "<=1.0");
      figures.add(
          Figure.of(
              ratio.name(),
              ratio.value(),
              "1",
              "<=1.0",
              ratio.note() + " ms; " + adam + " torch.optim.Adam, distinct rows prepared for it"));
      worst = Math.max(worst, ours.memory() / theirs.memory());
      memories.append(
          String.format(
              Locale.ROOT,
              "%s%s %.0f and %.0f MiB",
              memories.isEmpty() ? "worst of " : ", ",
              size.label(),
              ours.memory(),
              theirs.memory()));
    }
    figures.add(Figure.of("rss_vs_torch", worst, "1", "<=1.0", memories.toString()));
    if (!only.isEmpty()) {
      figures.forEach(
          f -> context.progress().printf("%s %.3f: %s%n", f.name(), f.value(), f.note()));
      throw new BenchmarkException("with option 'size' only a part is measured: no figures");
    }
    return figures;
  }

  private static List<Measured> measure(
      BenchmarkContext context, PythonEnvironment python, StepSize size, int pairs, String adam)
      throws IOException, BenchmarkException {
    Path parts = context.parts();
    Path start = parts.resolve(size.label() + ".safetensors");
    try (WorkerProcess ours =
        WorkerProcess.startJava(
            "the training of " + size.label(),
            context,
            StepWorker.class,
            List.of(size.name(), start.toString()),
            parts.resolve(size.label() + ".java.log"))) {
      // The planted defect leaves out the other side's last layer but one: the losses must tell.
      int layers = context.planted(WRONG_WEIGHTS) ? size.layers() - 1 : size.layers();
      List<String> torch =
          List.of(
              python.python().toString(),
              PythonEnvironment.script("train_step.py", parts).toString(),
              start.toString(),
              String.valueOf(layers),
              String.valueOf(StepSize.THREADS),
              adam);
      try (WorkerProcess theirs =
          WorkerProcess.start(
              "PyTorch's training of " + size.label(),
              torch,
              Map.of(),
              parts.resolve(size.label() + ".torch.log"))) {
        check(context, size, ours, theirs);
        return alternate(context, size, ours, theirs, pairs);
      }
    }
  }

  private static void check(
      BenchmarkContext context, StepSize size, WorkerProcess ours, WorkerProcess theirs)
      throws IOException, BenchmarkException {
    double[] a = ours.ask("losses " + CHECKED_STEPS);
    double[] b = theirs.ask("losses " + CHECKED_STEPS);
    double largest = 0;
    for (int i = 0; i < CHECKED_STEPS; i++) {
      largest = Math.max(largest, Math.abs(a[i] - b[i]));
    }
    context
        .progress()
        .printf(
            Locale.ROOT,
            "%s: losses of %d steps from the same start %s, largest difference %.2g%n",
            size.label(),
            CHECKED_STEPS,
            Arrays.toString(a),
            largest);
    context.progress().flush();
    if (!(largest <= MAX_DIFFERENCE)) {
      throw new BenchmarkException(
          "void: at "
              + size.label()
              + " the losses differ by "
              + largest
              + " from PyTorch's, more than "
              + MAX_DIFFERENCE
              + ": this is not the same arithmetic");
    }
  }

  private static List<Measured> alternate(
      BenchmarkContext context, StepSize size, WorkerProcess ours, WorkerProcess theirs, int pairs)
      throws IOException, BenchmarkException {
    StepPairs.run(ours, size.steps());
    StepPairs.run(theirs, size.steps());
    StepPairs timed = StepPairs.of(context, size.label(), ours, theirs, size.steps(), pairs);
    return List.of(
        new Measured(timed.ours(), ours.peakMemory()),
        new Measured(timed.theirs(), theirs.peakMemory()));
  }
}
