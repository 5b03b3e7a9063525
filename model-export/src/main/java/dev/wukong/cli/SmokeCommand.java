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
    description = "Scores and trains a small Wukong on a device and on the CPU and compares them.",
    mixinStandardHelpOptions = true)
final class SmokeCommand implements Callable<Integer> {
  private static final int IDS = 1000;
  private static final int ID_FEATURES = 8;
  private static final int NUMBERS = 3;
  private static final int REPEATS = 20;

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

  @Option(names = "--device", description = "cpu or cuda:N (${DEFAULT-VALUE}).")
  private String device = "cuda:0";

  @Option(names = "--batch", description = "Examples of a batch (${DEFAULT-VALUE}).")
  private int batch = 512;

  @Spec private CommandSpec spec = CommandSpec.create();

  /** What a device made of the same start. */
  @SuppressWarnings("ArrayRecordComponent") // Compared by element, with a tolerance.
  private record Answers(
      float[] before, float loss, float[] after, double predictMillis, double stepMillis) {}

  @Override
  public Integer call() {
    if (batch < 1 || batch > 1 << 16) {
      throw new IllegalArgumentException("--batch is " + batch + ", want 1 to 65536");
    }
    Device tried = Device.parse(device);
    Schema schema = schema();
    RankerConfig model = RankerConfig.read(Section.of("smoke:", new YAMLMapper().readTree(MODEL)));
    EncodedExamples examples = examples();
    Answers theirs = answers(model, schema, tried, examples);
    Answers ours = answers(model, schema, new Device.Cpu(), examples);
    double before = difference(ours.before(), theirs.before());
    double loss = Math.abs(ours.loss() - theirs.loss());
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
        "training step, median ms",
        ours.stepMillis(),
        theirs.stepMillis());
    out.printf(Locale.ROOT, "%-34s %12.6f %12.6f%n", "loss", ours.loss(), theirs.loss());
    out.printf(
        Locale.ROOT,
        "largest difference: probabilities %.2g, loss %.2g, probabilities after a step %.2g;"
            + " %.0e is allowed: %s%n",
        before,
        loss,
        after,
        TOLERANCE,
        same ? "works" : "DIFFERS");
    out.flush();
    return same ? 0 : 1;
  }

  private Answers answers(RankerConfig model, Schema schema, Device on, EncodedExamples examples) {
    TrainingConfig training =
        TrainingConfig.read(
            Section.of(
                "smoke:", new YAMLMapper().readTree("batch: " + batch + "\nseed: 1\nthreads: 2")));
    try (TrainSession session =
        new TrainSession(model, model.layout(schema), training, on, space -> IDS)) {
      float[] before = session.score(examples);
      float loss = session.step(examples, 1).loss();
      float[] after = session.score(examples);
      return new Answers(
          before,
          loss,
          after,
          median(() -> session.score(examples)),
          median(() -> session.step(examples, 1)));
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

  private EncodedExamples examples() {
    SplittableRandom random = new SplittableRandom(1);
    long[] ids = new long[batch * ID_FEATURES];
    Arrays.setAll(ids, i -> RowKey.FIRST + random.nextInt(IDS));
    float[] dense = new float[batch * NUMBERS];
    float[] labels = new float[batch];
    float[] weights = new float[batch];
    for (int i = 0; i < dense.length; i++) {
      dense[i] = (float) (10 * random.nextDouble());
    }
    for (int i = 0; i < batch; i++) {
      labels[i] = random.nextInt(4) == 0 ? 1 : 0;
      weights[i] = 1;
    }
    return new EncodedExamples(
        new EncodedRows(batch, new long[0], new float[0], new float[0]),
        new EncodedRows(batch, ids, new float[0], dense),
        labels,
        weights);
  }
}
