package dev.wukong.study;

import dev.wukong.run.ConfigTree;
import dev.wukong.run.RunConfig;

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
