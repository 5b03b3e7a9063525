package dev.wukong.training;

import dev.wukong.data.InputLayout;
import dev.wukong.objective.TrainGraph;
import dev.wukong.ranker.RankerConfig;
import java.lang.foreign.Arena;
import java.util.function.ToLongFunction;

/**
 * A model in training, wherever its steps are made: what a checkpoint holds, and the memory and
 * threads to work on it. Owned by the training thread.
 *
 * @param arena of everything that runs share with ONNX Runtime
 * @param weights dense weights with their optimizer's state
 * @param statistics batch normalization's running statistics
 */
record TrainState(
    InputLayout layout,
    TrainingConfig config,
    Arena arena,
    Workers workers,
    WeightState weights,
    WeightState statistics,
    RowTrainer rows,
    Buffers buffers) {
  /**
   * A fresh model.
   *
   * @param opened closes the arena and the threads
   * @param shards for which the weights have gradients
   * @param rows makes the rows' training, on these threads
   * @param buffers closed with the others
   */
  @SuppressWarnings("MustBeClosedChecker") // The arena is closed with the others.
  static TrainState of(
      Opened opened,
      InputLayout layout,
      TrainingConfig config,
      TrainGraph train,
      Shards shards,
      RowsOf rows,
      Buffers buffers) {
    Arena arena = opened.add(Arena.ofShared());
    Workers workers = opened.add(new Workers(config.threads()));
    long seed = config.seed();
    HostOptimizer dense = HostOptimizer.of(config.dense());
    HostOptimizer none = new HostOptimizer.Sgd();
    return new TrainState(
        layout,
        config,
        arena,
        workers,
        new WeightState(arena, train.weights(), dense, workers, shards.most(), seed),
        new WeightState(arena, train.statistics(), none, workers, 1, seed),
        rows.on(arena, workers),
        opened.add(buffers));
  }

  /** Makes the training of rows, in memory of an arena. */
  @FunctionalInterface
  interface RowsOf {
    RowTrainer on(Arena arena, Workers workers);

    /**
     * Fresh rows.
     *
     * @param rowsIn the number of ids of an id space; asked for whole-table training only
     */
    static RowsOf fresh(
        RankerConfig model,
        InputLayout layout,
        TrainingConfig config,
        ToLongFunction<String> rowsIn) {
      long seed = config.seed();
      double deviation = model.embedding().deviation();
      return (arena, workers) ->
          switch (config.rows().mode()) {
            case TOUCHED ->
                TouchedRows.fresh(layout, config.rows().optimizer(), deviation, workers, seed);
            case WHOLE_TABLE ->
                new WholeTableRows(arena, layout, rowsIn, config.rows(), deviation, workers, seed);
          };
    }
  }

  int tasks() {
    return layout.schema().tasks().size();
  }
}
