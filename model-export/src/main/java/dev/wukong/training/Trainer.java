package dev.wukong.training;

import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Progress;
import dev.wukong.data.Shuffle;
import dev.wukong.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntToDoubleFunction;
import java.util.function.LongSupplier;

/**
 * The offline loop: shuffled epochs, validation after each, the learning rates lowered where the
 * watched validation figure shows no gain, the best state kept. A checkpoint after every epoch, and
 * inside long ones, lets an interrupted training go on as if nothing had happened: with the same
 * threads it ends in the same weights, bit by bit.
 */
public final class Trainer {
  private static final double MIN_GAIN = 1e-6;

  private final TrainSession session;
  private final TrainingConfig config;
  private final EncodedDataset train;
  private final Optional<EncodedDataset> valid;
  private final Path work;
  private final LongSupplier nanoClock;
  private final BooleanSupplier stop;

  /** Hears how training goes. Called by the training thread. */
  public interface Listener {
    /** {@code rows} of {@code of} rows of this epoch are done; {@code loss} is a running mean. */
    void progress(int epoch, long rows, long of, double loss);

    void epoch(Epoch epoch);

    /** Training goes on after {@code epochs} whole epochs and {@code rows} rows of the next. */
    void resumed(int epochs, long rows, long of);

    /** Training was asked to stop, and all that it did is in a checkpoint. */
    void stopped(int epochs, long rows, long of);
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
      double factor,
      Map<String, Metrics> validation,
      boolean best) {}

  /** Ends a validation that is no longer wanted. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1;

    Stopped() {
      super("stopped", null, false, false);
    }
  }

  /**
   * Training of {@code session}.
   *
   * @param work a folder for checkpoints, made if missing
   * @param nanoClock the time in nanoseconds from any origin: says when a checkpoint is due
   * @param stop asked after every step; once true, training writes a checkpoint and ends
   */
  public Trainer(
      TrainSession session,
      EncodedDataset train,
      Optional<EncodedDataset> valid,
      Path work,
      LongSupplier nanoClock,
      BooleanSupplier stop) {
    this.session = session;
    this.config = session.config();
    this.train = train;
    this.valid = valid;
    this.work = work;
    this.nanoClock = nanoClock;
    this.stop = stop;
  }

  /**
   * Trains to the end; afterwards the session holds the best state.
   *
   * @return whether the end was reached; false where it was asked to stop
   * @throws IOException where a checkpoint cannot be written, is of another training, or that of
   *     the best epoch is missing
   * @throws NotFiniteException where a loss, a weight or a probability of the validation data is no
   *     finite number
   */
  public boolean run(Listener listener) throws IOException {
    Files.createDirectories(work);
    Optional<ValidationFigure> figure =
        valid.map(data -> ValidationFigure.of(config.plateau(), data));
    Fingerprint fingerprint = Fingerprint.of(session, train, valid);
    Checkpoint last = new Checkpoint(work.resolve("last.checkpoint"), fingerprint, session);
    Checkpoint best = new Checkpoint(work.resolve("best.checkpoint"), fingerprint, session);
    Position at = Position.START;
    if (last.exists()) {
      at = last.read();
      if (hasBest(at) && !best.exists()) {
        // The state that training stands at may be many epochs worse.
        throw new IOException(
            best.file()
                + " is missing, and with it the best epoch's state; remove "
                + last.file().getFileName()
                + ", too, to start afresh");
      }
      listener.resumed(at.epoch(), at.rows(), train.rows());
    }
    while (at.epoch() < config.epochs() && !finished(at) && !stop.getAsBoolean()) {
      at = epoch(at, last, listener);
      session.checkFinite(); // A checkpoint of such a state would be of no use.
      Optional<Map<String, Metrics>> validation =
          at.rows() < train.rows() ? Optional.empty() : validate();
      if (validation.isEmpty()) {
        last.write(at);
        break;
      }
      Position ended = at;
      double loss = at.lossSum() / train.rows();
      double reached = figure.map(f -> f.of(validation.get())).orElse(-loss);
      boolean gain = reached > at.best() + MIN_GAIN;
      listener.epoch(
          new Epoch(
              ended.epoch() + 1,
              loss,
              train.rows() / (ended.nanos() / 1e9),
              ended.factor(),
              validation.get(),
              gain));
      at = gain ? at.gain(reached) : at.noGain(lowered(at.factor()));
      if (gain && valid.isPresent()) {
        best.write(at);
      } else if (config.plateau().restore() && hasBest(at)) {
        best.read(); // Its state; where training stands in the data is what follows this epoch.
      }
      last.write(at);
    }
    if (stop.getAsBoolean()) {
      listener.stopped(at.epoch(), at.rows(), train.rows());
      return false;
    }
    if (hasBest(at)) {
      best.read();
    }
    return true;
  }

  /** Without validation data nothing says that an earlier state was better. */
  private boolean hasBest(Position at) {
    return valid.isPresent() && at.best() > Double.NEGATIVE_INFINITY;
  }

  private boolean finished(Position at) {
    int stopAfter = config.plateau().stopAfter();
    return valid.isPresent() && stopAfter > 0 && at.stale() >= stopAfter;
  }

  /** The factor of the learning rates after an epoch without gain. */
  private double lowered(double factor) {
    if (valid.isEmpty()) {
      return factor;
    }
    double dense = config.dense().learningRate();
    double rate = dense > 0 ? dense : config.rows().optimizer().learningRate();
    double floor = config.plateau().floor() / Math.max(rate, 1e-30);
    return Math.min(factor, Math.max(factor * config.plateau().factor(), floor));
  }

  /** Trains from {@code from} to the end of its epoch, or until it is asked to stop. */
  private Position epoch(Position from, Checkpoint last, Listener listener) throws IOException {
    Shuffle shuffle = Shuffle.of(train.rows(), config.seed(), from.epoch());
    long[] indices = new long[Math.multiplyExact(config.batch(), session.stepsPerRun())];
    EncodedExamples room = train.allocate(indices.length);
    long every = config.checkpointEvery().toNanos();
    long now = nanoClock.getAsLong();
    long written = now;
    Position at = from;
    while (at.rows() < train.rows() && !stop.getAsBoolean()) {
      int count = shuffle.fill(at.rows(), indices);
      EncodedExamples block = train.batch(indices, 0, count, room);
      List<TrainSession.Step> steps = session.steps(block, rates(at));
      long before = now;
      now = nanoClock.getAsLong();
      int left = count;
      for (TrainSession.Step step : steps) {
        int rows = Math.min(left, config.batch());
        at = at.step(rows, step.loss(), (now - before) / steps.size());
        left -= rows;
      }
      listener.progress(at.epoch() + 1, at.rows(), train.rows(), at.recentLoss());
      if (every > 0 && now - written >= every && at.rows() < train.rows()) {
        last.write(at);
        now = nanoClock.getAsLong();
        written = now;
      }
    }
    return at;
  }

  /** The factor of the learning rates for a minibatch by the rows between {@code at} and it. */
  private IntToDoubleFunction rates(Position at) {
    double before = (double) at.epoch() * train.rows() + at.rows();
    double all = (double) config.epochs() * train.rows();
    return rows -> at.factor() * config.decay().factor((before + rows) / all);
  }

  /** The metrics by task, none without validation data; empty where it is asked to stop. */
  private Optional<Map<String, Metrics>> validate() {
    if (valid.isEmpty()) {
      return Optional.of(Map.of());
    }
    try {
      return Optional.of(
          Evaluator.evaluate(
              batch -> {
                if (stop.getAsBoolean()) {
                  throw new Stopped();
                }
                return session.score(batch);
              },
              valid.get(),
              config.batch(),
              Progress.NONE));
    } catch (NotFiniteException e) {
      throw e.in("the validation data");
    } catch (Stopped e) {
      return Optional.empty();
    }
  }
}
