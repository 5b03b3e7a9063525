package dev.wukong.training;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.data.Group;
import dev.wukong.data.InputNames;
import dev.wukong.runtime.OnnxRuntime;
import java.util.List;

/**
 * Runs a graph over a batch, every range of its rows on a thread of its own. Owned by the training
 * thread.
 */
final class BatchRunner {
  private final TrainState state;
  private final WeightTensors tensors;

  BatchRunner(TrainState state, WeightTensors tensors) {
    this.state = state;
    this.tensors = tensors;
  }

  /** What a run takes beside its rows. */
  interface Extra {
    void addTo(Run run, int shard) throws OrtException;
  }

  /** Runs every range of the batch's rows, each on a thread of its own. */
  void run(
      String what,
      OrtSession session,
      int count,
      int shards,
      List<RowBlock> inputs,
      List<RowBlock> outputs,
      Extra extra) {
    state
        .workers()
        .run(
            part -> {
              if (part >= shards) {
                return;
              }
              int from = Shards.first(count, shards, part);
              int to = Shards.first(count, shards, part + 1);
              try (Run run = new Run()) {
                tensors.bind(run);
                bindRows(run);
                for (RowBlock input : inputs) {
                  run.input(input.name(), input.rows(OnnxRuntime.environment(), from, to));
                }
                for (RowBlock output : outputs) {
                  run.output(output.name(), output.rows(OnnxRuntime.environment(), from, to));
                }
                extra.addTo(run, part);
                run.execute(session);
              } catch (OrtException e) {
                throw new IllegalStateException(what + " failed: " + e.getMessage(), e);
              }
            });
  }

  /** Gives the embedding rows as bound. */
  void bindRows(Run run) throws OrtException {
    RowTrainer rows = state.rows();
    for (int group = 0; group < state.layout().groups().size(); group++) {
      Group of = state.layout().groups().get(group);
      run.input(InputNames.rows(of), Run.tensor(rows.rows(group), rows.size(group), of.width()));
    }
  }
}
