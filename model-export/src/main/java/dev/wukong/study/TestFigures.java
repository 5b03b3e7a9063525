package dev.wukong.study;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Task;
import dev.wukong.run.ModelRun;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the test split tells of a model beyond its metrics. */
final class TestFigures {
  private TestFigures() {}

  /** The details by task. */
  static Map<String, Outcome.TaskDetail> of(ModelRun run, StudyData.Entry data) {
    List<Task> tasks = run.config().schema().tasks();
    int rows = Math.toIntExact(data.test().rows());
    float[] first = new float[rows]; // The first task's probabilities, for the truth.
    List<Scored> scored = tasks.stream().map(_ -> new Scored()).toList();
    int[] at = {0};
    run.scoreTest(
        (examples, probabilities) -> {
          collect(examples, probabilities, at[0], scored);
          for (int i = 0; i < examples.rows(); i++) {
            first[at[0] + i] = probabilities[i * tasks.size()];
          }
          at[0] += examples.rows();
        });
    Map<String, Outcome.TaskDetail> result = new LinkedHashMap<>();
    for (int t = 0; t < tasks.size(); t++) {
      Optional<double[]> truth = t == 0 ? data.splits().truth() : Optional.empty();
      Blocks plain = Blocks.of(scored.get(t), rows);
      Blocks blocks = truth.map(true_ -> plain.with(first, true_)).orElse(plain);
      result.put(
          tasks.get(t).name(),
          new Outcome.TaskDetail(
              CalibrationBin.of(scored.get(t)),
              Slice.of(scored.get(t), data.slicing()),
              blocks,
              blocks.meanExcess()));
    }
    return result;
  }

  private static void collect(
      EncodedExamples examples, float[] probabilities, int firstRow, List<Scored> into) {
    int tasks = into.size();
    for (int i = 0; i < examples.rows(); i++) {
      for (int t = 0; t < tasks; t++) {
        int at = i * tasks + t;
        into.get(t)
            .add(
                firstRow + i,
                probabilities[at],
                examples.labels()[at],
                examples.labelWeights()[at]);
      }
    }
  }
}
