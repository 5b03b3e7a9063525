package dev.wukong.training;

import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Progress;
import dev.wukong.data.Shuffle;
import dev.wukong.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The offline loop: shuffled epochs, validation after each, the learning rates lowered where the
 * validation AUC (the tasks' mean) stops rising, the best state kept. A checkpoint after every
 * epoch lets an interrupted training go on as if nothing had happened.
 */
public final class Trainer {
  private static final double MIN_GAIN = 1e-6;

  private final TrainSession session;
  private final EncodedDataset train;
  private final Optional<EncodedDataset> valid;
  private final Path work;
  private final long fingerprint;

  /** Hears how training goes. Called by the training thread. */
  public interface Listener {
    /** {@code rows} of {@code of} rows of this epoch are done; {@code loss} is a running mean. */
    void progress(int epoch, long rows, long of, double loss);

    void epoch(Epoch epoch);

    void resumed(int epoch);
  }

  /**
   * An epoch's outcome.
   *
   * @param rowsPerSecond examples trained on a second, validation not counted
   * @param validation by task; empty without validation data
   * @param best whether it is the best so far
   */
  public record Epoch(
      int epoch,
      double loss,
      double rowsPerSecond,
      double seconds,
      double factor,
      Map<String, Metrics> validation,
      boolean best) {}

  /**
   * Training of {@code session}.
   *
   * @param work a folder for checkpoints, made if missing
   * @param fingerprint tells this training from others
   */
  public Trainer(
      TrainSession session,
      EncodedDataset train,
      Optional<EncodedDataset> valid,
      Path work,
      long fingerprint) {
    this.session = session;
    this.train = train;
    this.valid = valid;
    this.work = work;
    this.fingerprint = fingerprint;
  }

  /** Trains to the end; afterwards the session holds the best state. */
  public void run(Listener listener) throws IOException {
    Files.createDirectories(work);
    Path last = work.resolve("last.checkpoint");
    Path best = work.resolve("best.checkpoint");
    TrainingConfig config = session.config();
    Checkpoint state = new Checkpoint(fingerprint, 0, 1, Double.NEGATIVE_INFINITY, 0);
    if (Files.exists(last)) {
      state = Checkpoint.read(last, fingerprint, session);
      listener.resumed(state.epoch());
    }
    while (state.epoch() < config.epochs() && !finished(state)) {
      long start = System.nanoTime();
      double loss = epoch(state.epoch(), state.factor(), listener);
      double trained = (System.nanoTime() - start) / 1e9;
      Map<String, Metrics> validation =
          valid.isPresent()
              ? Evaluator.evaluate(session::score, valid.get(), config.batch(), Progress.NONE)
              : new LinkedHashMap<>();
      double figure =
          validation.isEmpty()
              ? -loss
              : validation.values().stream().mapToDouble(Metrics::auc).average().orElseThrow();
      boolean gain = figure > state.best() + MIN_GAIN;
      double rate = config.dense().learningRate();
      double lowered =
          Math.max(
              state.factor() * config.plateau().factor(),
              config.plateau().floor() / Math.max(rate, 1e-30));
      listener.epoch(
          new Epoch(
              state.epoch() + 1,
              loss,
              train.rows() / trained,
              (System.nanoTime() - start) / 1e9,
              state.factor(),
              validation,
              gain));
      state =
          gain
              ? new Checkpoint(fingerprint, state.epoch() + 1, state.factor(), figure, 0)
              : new Checkpoint(
                  fingerprint,
                  state.epoch() + 1,
                  valid.isPresent() ? Math.min(state.factor(), lowered) : state.factor(),
                  state.best(),
                  state.stale() + 1);
      if (gain) {
        state.write(best, session);
      }
      state.write(last, session);
    }
    // Without validation data nothing says that an earlier state was better.
    if (valid.isPresent() && Files.exists(best)) {
      Checkpoint.read(best, fingerprint, session);
    }
  }

  private boolean finished(Checkpoint state) {
    int stopAfter = session.config().plateau().stopAfter();
    return valid.isPresent() && stopAfter > 0 && state.stale() >= stopAfter;
  }

  private double epoch(int epoch, double factor, Listener listener) {
    TrainingConfig config = session.config();
    Shuffle shuffle = Shuffle.of(train.rows(), config.seed(), epoch);
    long[] indices = new long[Math.multiplyExact(config.batch(), session.stepsPerRun())];
    EncodedExamples room = train.allocate(indices.length);
    double sum = 0;
    double recent = Double.NaN;
    for (long first = 0; first < train.rows(); ) {
      int count = shuffle.fill(first, indices);
      EncodedExamples block = train.batch(indices, 0, count, room);
      int left = count;
      for (TrainSession.Step step : session.steps(block, factor)) {
        float loss = step.loss();
        sum += (double) loss * Math.min(left, config.batch());
        left -= config.batch();
        recent = Double.isNaN(recent) ? loss : 0.95 * recent + 0.05 * loss;
      }
      first += count;
      listener.progress(epoch + 1, first, train.rows(), recent);
    }
    return sum / train.rows();
  }
}
