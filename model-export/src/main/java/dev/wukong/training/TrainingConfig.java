package dev.wukong.training;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.metrics.Measure;
import dev.wukong.metrics.Watch;
import dev.wukong.objective.UpdateRule;
import java.time.Duration;
import java.util.List;

/**
 * How a model is trained.
 *
 * @param batch rows of a minibatch
 * @param epochs passes over the training data at most
 * @param threads for the graph and for the arithmetic beside it
 * @param dense the optimizer of the dense weights
 * @param rows how embedding rows are trained
 * @param clipNorm the largest norm of all gradients together, 0 for no limit
 * @param warmUp steps over which the learning rates rise linearly from 0
 * @param decay how the learning rates fall over the whole training
 * @param plateau what happens when the validation data shows no gain
 * @param checkpointEvery time between checkpoints inside an epoch; zero: after whole epochs only
 * @param steps where steps are made
 */
public record TrainingConfig(
    int batch,
    int epochs,
    long seed,
    int threads,
    OptimizerConfig dense,
    RowsConfig rows,
    double clipNorm,
    int warmUp,
    Decay decay,
    PlateauConfig plateau,
    Duration checkpointEvery,
    StepsConfig steps) {
  private static final Duration CHECKPOINT_EVERY = Duration.ofMinutes(10);
  private static final Duration MAX_CHECKPOINT_EVERY = Duration.ofDays(30);

  /** How the learning rates fall from the first step to the last of all epochs. */
  public enum Decay {
    /** Not at all. */
    NONE,
    /** In a straight line to 0. */
    LINEAR;

    /**
     * What the learning rates are multiplied by.
     *
     * @param progress the share of the whole training that is done, 0 to 1
     */
    double factor(double progress) {
      return switch (this) {
        case NONE -> 1;
        case LINEAR -> 1 - progress;
      };
    }
  }

  /** Which rows a step changes. */
  public enum RowMode {
    /** The rows of the batch. */
    TOUCHED,
    /** Every row of every table, as the published configurations do; for small tables. */
    WHOLE_TABLE
  }

  /**
   * The rows' training.
   *
   * @param l2 the factor of half the squared norm of the whole table in the loss; WHOLE_TABLE only
   */
  public record RowsConfig(RowMode mode, OptimizerConfig optimizer, double l2) {}

  /**
   * The end of training.
   *
   * @param factor multiplies the learning rates after an epoch without gain
   * @param stopAfter epochs without gain in a row that end training; 0: never
   * @param watch the task whose metrics tell a gain, or {@link Watch#MEAN}
   * @param measure which of its metrics does
   * @param restore whether training goes on from the best state after an epoch without gain,
   *     instead of from the state that it came to
   */
  public record PlateauConfig(
      double factor, double floor, int stopAfter, String watch, Measure measure, boolean restore) {

    /**
     * Part of {@link #recipe}. Keys added later are left out at their defaults, so that checkpoints
     * and outcomes from before still match.
     */
    @Override
    public String toString() {
      return "PlateauConfig[factor=%s, floor=%s, stopAfter=%s, watch=%s%s%s]"
          .formatted(
              factor,
              floor,
              stopAfter,
              watch,
              measure == Measure.AUC ? "" : ", measure=" + measure,
              restore ? ", restore=true" : "");
    }
  }

  /** The same with another limit of epochs. */
  public TrainingConfig withEpochs(int limit) {
    return new TrainingConfig(
        batch,
        limit,
        seed,
        threads,
        dense,
        rows,
        clipNorm,
        warmUp,
        decay,
        plateau,
        checkpointEvery,
        steps);
  }

  /** The same for training that goes on with a trained model: steps are the graph's. */
  TrainingConfig online(
      int minibatch, int on, OptimizerConfig ofDense, RowsConfig ofRows, long from) {
    return new TrainingConfig(
        minibatch,
        epochs,
        from,
        on,
        ofDense,
        ofRows,
        clipNorm,
        0,
        decay,
        plateau,
        checkpointEvery,
        new StepsConfig(StepsConfig.OptimizerIn.DEVICE, 1, StepsConfig.RowsIn.AUTO));
  }

  /**
   * All that decides what is learnt, defaults included, as text: batch, seed, optimizers and
   * schedule, not the limit of epochs where rates do not fall by it, threads or checkpoints.
   */
  public String recipe() {
    // Where the rates fall to 0 at the end, the end is part of it.
    int end = decay == Decay.NONE ? 0 : epochs;
    return List.of(batch, seed, dense, rows, clipNorm, warmUp, decay, end, plateau).toString();
  }

  /** The same as a step of the graph takes it. */
  public UpdateRule rule() {
    return new UpdateRule(dense.inGraph(), rows.optimizer().inGraph(), rows.l2(), clipNorm);
  }

  /** Reads the {@code training} section of a configuration. */
  public static TrainingConfig read(Section section) {
    Section rows = section.section("rows");
    RowMode mode = rows.choice("mode", RowMode.TOUCHED);
    RowsConfig rowsConfig =
        new RowsConfig(
            mode,
            OptimizerConfig.read(
                rows,
                switch (mode) {
                  case TOUCHED -> List.of("row_wise_adagrad", "sgd");
                  case WHOLE_TABLE -> List.of("adam", "sgd");
                }),
            rows.number("l2", 0, 0, 1000));
    rows.done();
    if (mode == RowMode.TOUCHED && rowsConfig.l2() > 0) {
      throw new ConfigException(
          rows.path()
              + ".l2 is "
              + rowsConfig.l2()
              + ", want 0 with mode touched: the term is over the whole table");
    }
    Section dense = section.section("dense");
    OptimizerConfig denseConfig = OptimizerConfig.read(dense, List.of("adam", "sgd"));
    dense.done();
    Section plateau = section.section("plateau");
    PlateauConfig plateauConfig =
        new PlateauConfig(
            plateau.number("factor", 0.1, 1e-9, 1),
            plateau.number("floor", 1e-6, 0, 1),
            plateau.integer("stop_after", 2, 0, 1000),
            plateau.text("watch", Watch.MEAN),
            plateau.choice("measure", Measure.AUC),
            plateau.flag("restore", false));
    plateau.done();
    TrainingConfig result =
        new TrainingConfig(
            section.integer("batch", 1024, 1, 1 << 20),
            section.integer("epochs", 1, 1, 100_000),
            section.integer("seed", 1, 0, Integer.MAX_VALUE),
            section.integer("threads", Runtime.getRuntime().availableProcessors(), 1, 1024),
            denseConfig,
            rowsConfig,
            section.number("clip_norm", 0, 0, 1e9),
            section.integer("warm_up", 0, 0, Integer.MAX_VALUE),
            section.choice("decay", Decay.NONE),
            plateauConfig,
            section.duration("checkpoint_every", CHECKPOINT_EVERY, MAX_CHECKPOINT_EVERY),
            StepsConfig.read(section));
    section.done();
    if (mode == RowMode.WHOLE_TABLE && result.steps().rowsIn() == StepsConfig.RowsIn.DEVICE) {
      throw new ConfigException(
          section.path() + ".rows_in is device, want auto or host with rows.mode whole_table");
    }
    return result;
  }
}
