package dev.wukong.cli;

import dev.wukong.config.Section;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.training.TrainSession;
import dev.wukong.training.TrainingConfig;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** {@code smoke}: does a device work, and does it compute what the CPU computes? */
@Command(
    name = "smoke",
    description =
        "Scores and trains a small Wukong on a device (whole steps in the graph) and on the CPU"
            + " (the optimizer in Java) and compares them.",
    mixinStandardHelpOptions = true)
final class SmokeCommand implements Callable<Integer> {
  private static final int IDS = 1000;
  private static final int ID_FEATURES = 8;
  private static final int NUMBERS = 3;
  private static final int REPEATS = 20;

  /** Minibatches that the device trains on in one run of the graph. */
  private static final int STEPS = 4;

  /** Half-precision tricks of a GPU's matrix units stay below this; a wrong kernel does not. */
  private static final double TOLERANCE = 2e-3;

  private static final String MODEL =
      """
      type: wukong
      embedding: {width: 32, deviation: 0.1, bottom: {hidden: [32]}}
      layers: 2
      fm_embeddings: 8
      linear_embeddings: 8
      rank: 8
      fm: attentive
      fm_mlp: {hidden: [64]}
      attention: {compressed: 4, mlp: {hidden: [32]}}
      head: {hidden: [64]}
      """;

  private static final String IN_GRAPH = "optimizer_in: device\nsteps_per_run: " + STEPS;
  private static final String ON_HOST = "optimizer_in: host";

  @Option(names = "--device", description = "cpu or cuda:N (${DEFAULT-VALUE}).")
  private String device = "cuda:0";

  @Option(names = "--batch", description = "Examples of a batch (${DEFAULT-VALUE}).")
  private int batch = 512;

  @Spec private CommandSpec spec = CommandSpec.create();

  /** What a device made of the same start. */
  @SuppressWarnings("ArrayRecordComponent") // Compared by element, with a tolerance.
  private record Answers(
      float[] before, float[] losses, float[] after, double predictMillis, double stepMillis) {}

  @Override
  public Integer call() {
    if (batch < 1 || batch > 1 << 16) {
      throw new IllegalArgumentException("--batch is " + batch + ", want 1 to 65536");
    }
    Device tried = Device.parse(device);
    Schema schema = schema();
    RankerConfig model = RankerConfig.read(Section.of("smoke:", new YAMLMapper().readTree(MODEL)));
    EncodedExamples examples = examples(batch);
    EncodedExamples block = examples(STEPS * batch);
    Answers theirs = answers(model, schema, tried, IN_GRAPH, examples, block);
    Answers ours = answers(model, schema, new Device.Cpu(), ON_HOST, examples, block);
    double before = difference(ours.before(), theirs.before());
    double loss = difference(ours.losses(), theirs.losses());
    double after = difference(ours.after(), theirs.after());
    boolean same = before <= TOLERANCE && loss <= TOLERANCE && after <= TOLERANCE;
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "ONNX Runtime %s, device %s (%s)%n",
        OnnxRuntime.version(),
        tried,
        switch (tried) {
          case Device.Cpu _ -> "CPUExecutionProvider";
          case Device.Cuda _ -> "CUDAExecutionProvider";
        });
    out.printf(Locale.ROOT, "%-34s %12s %12s%n", "", "cpu", tried);
    out.printf(
        Locale.ROOT,
        "%-34s %12.3f %12.3f%n",
        "predict, " + batch + " rows, median ms",
        ours.predictMillis(),
        theirs.predictMillis());
    out.printf(
        Locale.ROOT,
        "%-34s %12.3f %12.3f%n",
        "training step, median ms (" + STEPS + " a run)",
        ours.stepMillis(),
        theirs.stepMillis());
    out.printf(
        Locale.ROOT,
        "%-34s %12.6f %12.6f%n",
        "loss of the last step",
        ours.losses()[STEPS - 1],
        theirs.losses()[STEPS - 1]);
    out.printf(
        Locale.ROOT,
        "largest difference: probabilities %.2g, losses %.2g, probabilities after %d steps %.2g;"
            + " %.0e is allowed: %s%n",
        before,
        loss,
        STEPS,
        after,
        TOLERANCE,
        same ? "works" : "DIFFERS");
    out.flush();
    return same ? 0 : 1;
  }

  private Answers answers(
      RankerConfig model,
      Schema schema,
      Device on,
      String optimizer,
      EncodedExamples examples,
      EncodedExamples block) {
    String config = "batch: " + batch + "\nseed: 1\nthreads: 2\n" + optimizer;
    TrainingConfig training =
        TrainingConfig.read(Section.of("smoke:", new YAMLMapper().readTree(config)));
    try (TrainSession session =
        new TrainSession(model, model.layout(schema), training, on, space -> IDS)) {
      float[] before = session.score(examples);
      List<TrainSession.Step> steps = session.steps(block, 1);
      float[] losses = new float[STEPS];
      for (int i = 0; i < STEPS; i++) {
        losses[i] = steps.get(i).loss();
      }
      float[] after = session.score(examples);
      return new Answers(
          before,
          losses,
          after,
          median(() -> session.score(examples)),
          median(() -> session.steps(block, 1)) / STEPS);
    }
  }

  private static double median(Runnable work) {
    double[] milliseconds = new double[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
      long start = System.nanoTime();
      work.run();
      milliseconds[i] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(milliseconds);
    return milliseconds[REPEATS / 2];
  }

  private static double difference(float[] a, float[] b) {
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = Math.abs((double) a[i] - b[i]);
      largest = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(largest, difference);
    }
    return largest;
  }

  private static Schema schema() {
    List<Feature> features = new ArrayList<>();
    for (int i = 0; i < ID_FEATURES; i++) {
      features.add(
          new IdFeature(
              "id" + i,
              Scope.CANDIDATE,
              "id" + i,
              ValueType.INT64,
              new IdMapping.Hash(IDS),
              "id" + i,
              1,
              Pooling.SUM,
              Optional.empty()));
    }
    features.add(
        new NumberFeature("numbers", Scope.CANDIDATE, "numbers", NUMBERS, Transform.LOG1P, false));
    return new Schema(
        "smoke", features, List.of(new Task("click", "click", Optional.empty(), Optional.empty())));
  }

  private static EncodedExamples examples(int rows) {
    SplittableRandom random = new SplittableRandom(1);
    long[] ids = new long[rows * ID_FEATURES];
    Arrays.setAll(ids, i -> RowKey.FIRST + random.nextInt(IDS));
    float[] dense = new float[rows * NUMBERS];
    float[] labels = new float[rows];
    float[] weights = new float[rows];
    for (int i = 0; i < dense.length; i++) {
      dense[i] = (float) (10 * random.nextDouble());
    }
    for (int i = 0; i < rows; i++) {
      labels[i] = random.nextInt(4) == 0 ? 1 : 0;
      weights[i] = 1;
    }
    return new EncodedExamples(
        new EncodedRows(rows, new long[0], new float[0], new float[0]),
        new EncodedRows(rows, ids, new float[0], dense),
        labels,
        weights);
  }
}
