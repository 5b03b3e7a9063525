package dev.wukong.run;

import dev.wukong.data.DataException;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Task;
import java.util.List;

/** Whether there is anything to learn from, or to measure by. */
public final class LabelCheck {
  private static final int BATCH = 4096;

  private LabelCheck() {}

  /**
   * Reads rows until every task has a label.
   *
   * @param name of the data, for the message
   * @throws DataException where a task has none in all of {@code data}
   */
  public static void everyTask(EncodedDataset data, String name) {
    List<Task> tasks = data.encoder().schema().tasks();
    boolean[] seen = new boolean[tasks.size()];
    int missing = seen.length;
    EncodedExamples room = data.allocate(BATCH);
    for (long first = 0; first < data.rows() && missing > 0; first += BATCH) {
      int count = (int) Math.min(BATCH, data.rows() - first);
      EncodedExamples examples = data.range(first, count, room);
      for (int i = 0; i < count * seen.length; i++) {
        if (examples.labelWeights()[i] > 0 && !seen[i % seen.length]) {
          seen[i % seen.length] = true;
          missing--;
        }
      }
    }
    for (int t = 0; t < seen.length; t++) {
      if (!seen[t]) {
        throw new DataException(
            "%s: all %,d rows have an empty label (or weight 0) for task '%s', column '%s'; at least one label is needed"
                .formatted(name, data.rows(), tasks.get(t).name(), tasks.get(t).column()));
      }
    }
  }
}
