package dev.wukong.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.run.Datasets;
import dev.wukong.runtime.Device;
import dev.wukong.study.Board;
import dev.wukong.study.Failure;
import dev.wukong.study.Result;
import dev.wukong.study.Study;
import dev.wukong.study.StudyEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/** A study as a part of a benchmark: made, or found to be made already. */
final class StudyParts {
  private StudyParts() {}

  /**
   * The outcomes of all runs, by the options {@code seeds}, {@code parallel} and {@code epochs}.
   *
   * @param only names of the runs that are wanted; empty: all
   * @param data the folder of the data files
   * @param out the study's folder
   * @throws BenchmarkException where a run failed
   */
  static List<Result> of(
      BenchmarkContext context, Study study, List<String> only, Path data, Path out)
      throws IOException, BenchmarkException {
    int cores = Runtime.getRuntime().availableProcessors();
    int epochs = Math.toIntExact(context.option("epochs", 0));
    StudyEngine.Options options =
        new StudyEngine.Options(
            data,
            out,
            Math.toIntExact(context.option("seeds", 1)),
            Math.toIntExact(context.option("parallel", cores)),
            new Device.Cpu(),
            cores,
            only,
            epochs == 0 ? OptionalInt.empty() : OptionalInt.of(epochs),
            false,
            "bench");
    Board board = new Board(context.progress(), context.progress(), false);
    List<Result> results =
        new StudyEngine(study, options, board, new Datasets(context.progress(), false))
            .run(() -> false)
            .orElseThrow();
    for (Result result : results) {
      if (result instanceof Failure failure) {
        throw new BenchmarkException(
            "void: run '%s' failed: %s".formatted(failure.identity().run(), failure.message()));
      }
    }
    return results;
  }
}
