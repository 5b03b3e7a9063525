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
import java.util.stream.Collectors;

/**
 * Every model's training step in its published configuration on Frappe, beside PyTorch's. Before
 * anything is timed, one step's loss, gradients and statistics, and the predictions after it, must
 * be those of the other side; or the run is void.
 */
public final class FrappeStepBenchmark implements Benchmark {
  private static final String PERTURBED = "perturbed-weight";
  private static final String NO_L2 = "no-l2";

  /**
   * Ours is float32, the other side computes this in float64: they are 1e-6 to 1e-5 apart. But
   * where rounding moves a value over a ReLU's corner, its example's gradient is another. Examples
   * with such values are left out of the loss; what they still do to the others through batch
   * normalization was up to 5e-4. A wrong formula is 1e-2 and more apart.
   */
  private static final String PARITY = "<=1e-3";

  /** How long one side works in a pair, about. */
  private static final double MILLISECONDS = 2000;

  private static final int WARM_UP = 3;

  /** A model's pairs. */
  private record Measured(StepParity parity, StepPairs pairs) {}

  @Override
  public String name() {
    return "frappe-step";
  }

  @Override
  public String summary() {
    return "training steps of all models on Frappe, held against PyTorch's gradients and timed"
        + " against its steps; 5 minutes after PyTorch is installed; options pairs=3,"
        + " only=afn+dlrm";
  }

  @Override
  public List<String> bugs() {
    return List.of(PERTURBED, NO_L2);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int pairs = Math.toIntExact(Math.clamp(context.option("pairs", 3), 1, 1000));
    List<FrappeModel> models = models(context);
    Path parts = context.makeParts();
    // The same packages as the benchmark train-step, which are large.
    Path venv = parts.resolveSibling("train-step").resolve("venv");
    PythonEnvironment python =
        PythonEnvironment.of(venv, List.of("numpy", "torch"), context.progress());
    Path batches = parts.resolve("batches.safetensors");
    FrappeBatches.write(
        batches,
        FrappeModel.WUKONG.config(),
        context.data("frappe"),
        parts.resolve("train.encoded"));
    List<Figure> figures = new ArrayList<>();
    StepParity worst = new StepParity(0, "", 0);
    String worstModel = "";
    int count = 0;
    for (FrappeModel model : models) {
      Measured measured = measure(context, python, model, batches, pairs);
      count += measured.parity().count();
      if (measured.parity().worst() >= worst.worst()) {
        worst = measured.parity();
        worstModel = model.label();
      }
      figures.addAll(figures(model, measured));
    }
    figures.addFirst(
        Figure.of(
            "parity_max",
            worst.worst(),
            "1",
            PARITY,
            "%s, '%s'; %d tensors compared".formatted(worstModel, worst.tensor(), count)));
    if (models.size() < FrappeModel.values().length) {
      figures.forEach(
          f -> context.progress().printf("%s %.4g: %s%n", f.name(), f.value(), f.note()));
      throw new BenchmarkException("with option 'only' only a part is measured: no figures");
    }
    return figures;
  }

  private static List<FrappeModel> models(BenchmarkContext context) throws BenchmarkException {
    String only = context.options().getOrDefault("only", "");
    List<String> labels = Arrays.stream(FrappeModel.values()).map(FrappeModel::label).toList();
    List<FrappeModel> result = new ArrayList<>();
    for (String label : only.isEmpty() ? labels : List.of(only.split("\\+", -1))) {
      if (!labels.contains(label)) {
        throw new BenchmarkException(
            "option 'only' has '%s', want some of %s".formatted(label, String.join("+", labels)));
      }
      result.add(FrappeModel.valueOf(label.toUpperCase(Locale.ROOT)));
    }
    return result;
  }

  private static List<Figure> figures(FrappeModel model, Measured measured) {
    Figure ratio =
        Figure.ratio(
            "step_time_vs_torch_" + model.label(),
            measured.pairs().ours(),
            measured.pairs().theirs(),
            "<=1.3");
    return List.of(
        rate("examples_per_second_", model, measured.pairs().ours()),
        rate("torch_examples_per_second_", model, measured.pairs().theirs()),
        Figure.of(ratio.name(), ratio.value(), "1", "<=1.3", ratio.note() + " ms"));
  }

  private static Figure rate(String name, FrappeModel model, double[] milliseconds) {
    int batch = model.config().training().batch();
    double[] rates = Arrays.stream(milliseconds).map(ms -> batch * 1e3 / ms).toArray();
    return Figure.of(
        name + model.label(),
        Figure.median(rates),
        "1/s",
        "-",
        "whole steps of " + batch + " rows");
  }

  private static Measured measure(
      BenchmarkContext context,
      PythonEnvironment python,
      FrappeModel model,
      Path batches,
      int pairs)
      throws IOException, BenchmarkException {
    Path parts = context.parts();
    Path start = parts.resolve(model.label() + ".safetensors");
    Path ours = parts.resolve(model.label() + ".ours.safetensors");
    Path theirs = parts.resolve(model.label() + ".torch.safetensors");
    try (WorkerProcess own =
        WorkerProcess.startJava(
            "the training of " + model.label(),
            context,
            FrappeStepWorker.class,
            List.of(model.name(), batches.toString(), start.toString(), ours.toString()),
            parts.resolve(model.label() + ".java.log"))) {
      List<String> torch =
          List.of(
              python.python().toString(),
              PythonEnvironment.script("frappe_step.py", parts).toString(),
              start.toString(),
              batches.toString(),
              ours.toString(),
              theirs.toString(),
              String.valueOf(FrappeModel.THREADS),
              context.seedBug().orElse("none"));
      try (WorkerProcess other =
          WorkerProcess.start(
              "PyTorch's training of " + model.label(),
              torch,
              Map.of(),
              parts.resolve(model.label() + ".torch.log"))) {
        firstStep(model, own, other);
        StepParity parity = StepParity.of(ours, theirs);
        say(context, model, parity);
        return alternate(context, model, parity, own, other, pairs);
      }
    }
  }

  /** Has both sides write what they make of the same step. */
  private static void firstStep(FrappeModel model, WorkerProcess ours, WorkerProcess theirs)
      throws IOException, BenchmarkException {
    double[] clear = theirs.ask("clear");
    double share = Arrays.stream(clear).average().orElse(0);
    if (share < 0.5) {
      throw new BenchmarkException(
          "void: model %s: only %.2f of the examples can be compared"
              .formatted(model.label(), share));
    }
    ours.ask(
        "first "
            + Arrays.stream(clear)
                .mapToObj(weight -> weight == 0 ? "0" : "1")
                .collect(Collectors.joining(" ")));
    theirs.ask("parity");
  }

  private static void say(BenchmarkContext context, FrappeModel model, StepParity parity) {
    context
        .progress()
        .printf(
            Locale.ROOT,
            "%s: %d tensors of a step and its predictions agree up to %.2g (%s)%n",
            model.label(),
            parity.count(),
            parity.worst(),
            parity.tensor());
    context.progress().flush();
  }

  private static Measured alternate(
      BenchmarkContext context,
      FrappeModel model,
      StepParity parity,
      WorkerProcess ours,
      WorkerProcess theirs,
      int pairs)
      throws IOException, BenchmarkException {
    double slower = Math.max(StepPairs.run(ours, WARM_UP), StepPairs.run(theirs, WARM_UP));
    int steps = Math.clamp(Math.round(MILLISECONDS / slower), 2, 25);
    return new Measured(parity, StepPairs.of(context, model.label(), ours, theirs, steps, pairs));
  }
}
