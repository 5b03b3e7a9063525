package dev.wukong.figures;

import dev.wukong.data.EncodedExamples;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.run.RunConfig;
import dev.wukong.runtime.Device;
import dev.wukong.training.SessionTensors;
import dev.wukong.training.TrainSession;
import dev.wukong.training.TrainingConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * Our side of {@code frappe-step}, a process of its own. It first writes a fresh model. A line
 * {@code first W...} makes one step without dropout in which the examples of the first batch have
 * these weights, writes what came of it and answers 0; from then on a line {@code run N} makes N
 * whole steps as configured and answers with the milliseconds of each.
 */
public final class FrappeStepWorker {
  private FrappeStepWorker() {}

  /**
   * Started by the benchmark.
   *
   * @param args the model's name, the file of batches, and the files to write: the fresh model, and
   *     its first step
   */
  public static void main(String[] args) throws IOException {
    RunConfig config = FrappeModel.valueOf(args[0]).config();
    TrainingConfig training = FrappeModel.training(config);
    FrappeBatches batches = FrappeBatches.read(Path.of(args[1]), config);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (TrainSession session =
        session(FrappeModel.compared(config.model()), config, training, batches)) {
      new TensorFile()
          .add("w/", session.snapshot())
          .add("t/", SessionTensors.tables(session))
          .write(Path.of(args[2]), metadata(config, training));
      System.out.println("ready");
      String line = in.readLine();
      if (line == null) {
        return;
      }
      firstStep(session, weighted(batches.batches().getFirst(), line))
          .write(Path.of(args[3]), Map.of());
      System.out.println(0);
    }
    try (TrainSession session = session(config.model(), config, training, batches)) {
      serve(session, batches.batches(), in);
    }
  }

  private static EncodedExamples weighted(EncodedExamples batch, String line) {
    String[] words = line.split(" ", -1);
    float[] weights = new float[batch.rows()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Float.parseFloat(words[i + 1]);
    }
    return new EncodedExamples(batch.context(), batch.candidate(), batch.labels(), weights);
  }

  private static TrainSession session(
      RankerConfig model, RunConfig config, TrainingConfig training, FrappeBatches batches) {
    return new TrainSession(
        model,
        model.layout(config.schema()),
        training,
        new Device.Cpu(),
        space -> Objects.requireNonNull(batches.rowsIn().get(space), space));
  }

  /** What the other side must know; the model as configured, with its dropout. */
  private static Map<String, String> metadata(RunConfig config, TrainingConfig training) {
    return Map.of(
        "model",
        config.model().toJson().toString(),
        "features",
        String.join(",", FrappeBatches.features(config)),
        "batch",
        String.valueOf(training.batch()),
        "rate",
        String.valueOf(training.dense().learningRate()),
        "l2",
        String.valueOf(training.rows().l2()),
        "clip",
        String.valueOf(training.clipNorm()));
  }

  /**
   * The loss, gradients and running statistics of the first step, the model after it, and that
   * model's predictions for the same batch.
   */
  private static TensorFile firstStep(TrainSession session, EncodedExamples batch) {
    float loss = session.step(batch, 1).loss();
    TensorFile result =
        new TensorFile()
            .add("weights", batch.labelWeights())
            .add("loss", loss)
            .add("gradient/", SessionTensors.firstGradients(session))
            .add("w/", session.snapshot())
            .add("t/", SessionTensors.tables(session));
    session
        .graph()
        .statistics()
        .keySet()
        .forEach(
            statistic ->
                result.add(
                    "statistic/",
                    Map.of(
                        statistic.name(),
                        Objects.requireNonNull(session.snapshot().get(statistic.name())))));
    return result.add("probabilities", session.score(batch));
  }

  private static void serve(TrainSession session, List<EncodedExamples> batches, BufferedReader in)
      throws IOException {
    int next = 0;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      int count = Integer.parseInt(line.substring("run ".length()));
      StringBuilder answer = new StringBuilder();
      for (int i = 0; i < count; i++) {
        long start = System.nanoTime();
        session.step(batches.get(next++ % batches.size()), 1);
        double milliseconds = (System.nanoTime() - start) / 1e6;
        answer.append(String.format(Locale.ROOT, i == 0 ? "%.4f" : " %.4f", milliseconds));
      }
      System.out.println(answer);
    }
  }
}
