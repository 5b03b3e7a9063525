package dev.wukong.study;

import dev.wukong.config.ConfigException;
import dev.wukong.run.ConfigTree;
import dev.wukong.run.RunConfig;
import dev.wukong.runtime.Device;
import dev.wukong.training.TrainSession;

/**
 * A run that is to be made: one model, one seed.
 *
 * @param tree its whole configuration, seed, name and threads included
 * @param first whether it is of the first seed, whose model is exported
 */
record PlannedRun(RunSpec spec, int seed, boolean first, ConfigTree tree, RunConfig config) {
  /** What it is called among the runs: {@code dcnv2-s2021}. */
  String label() {
    return spec.name() + "-s" + seed;
  }

  /**
   * Refuses what {@code device} cannot train, before any data is encoded.
   *
   * @throws ConfigException where it cannot; the message names the run, the key and what it may be
   */
  void check(Device device) {
    try {
      TrainSession.check(config.model().layout(config.schema()), config.training(), device);
    } catch (ConfigException e) {
      throw spec.wrong(e.getMessage());
    }
  }

  /** What it is of, as a run of {@code study} on {@code data}. */
  Result.Identity identity(String study, Result.DataPrint data) {
    return new Result.Identity(
        study,
        spec.name(),
        spec.series(),
        seed,
        tree.tree(),
        config.model().toJson(),
        config.training().recipe(),
        data);
  }
}
