package dev.wukong.serving.hosting;

import dev.wukong.bundle.GraphInputs;
import dev.wukong.data.InputLayout;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.batching.BatchScores;
import dev.wukong.serving.batching.PartInputs;
import dev.wukong.serving.engine.Engine;
import dev.wukong.serving.inputs.GrowingBuffer;
import dev.wukong.serving.inputs.HostMemory;
import dev.wukong.serving.inputs.HostTensor;
import dev.wukong.serving.inputs.ModelInputs;
import java.util.ArrayList;
import java.util.List;

/** Where a batch thread joins parts, and where their results go. One thread at a time. */
final class BatchRoom implements AutoCloseable {
  private final ModelInputs joined;
  private final int tasks;
  private final GrowingBuffer probabilities;
  private final GrowingBuffer logits;

  BatchRoom(InputLayout layout, Element rowType, HostMemory memory) {
    this.joined = new ModelInputs(layout, rowType, memory, _ -> {});
    this.probabilities = new GrowingBuffer(memory);
    this.logits = new GrowingBuffer(memory);
    this.tasks = layout.schema().tasks().size();
  }

  /** Runs {@code parts} together; the results are valid until the next run. */
  BatchScores run(List<? extends PartInputs> parts, Engine engine) {
    ModelInputs inputs = inputs(parts);
    int candidates = inputs.candidates();
    long bytes = (long) candidates * tasks * Float.BYTES;
    probabilities.ensure(bytes);
    logits.ensure(bytes);
    List<HostTensor> outputs =
        List.of(
            floats(GraphInputs.PROBABILITIES, probabilities, candidates),
            floats(GraphInputs.LOGITS, logits, candidates));
    engine.run(inputs.tensors(), outputs);
    return new BatchScores(outputs.get(0).bytes(), outputs.get(1).bytes());
  }

  /** A part that is alone is run where it lies. */
  private ModelInputs inputs(List<? extends PartInputs> parts) {
    if (parts.size() == 1) {
      return (ModelInputs) parts.getFirst();
    }
    List<ModelInputs> all = new ArrayList<>(parts.size());
    for (PartInputs part : parts) {
      all.add((ModelInputs) part);
    }
    joined.join(all);
    return joined;
  }

  private HostTensor floats(String name, GrowingBuffer buffer, int candidates) {
    return HostTensor.of(name, Element.FLOAT32, buffer, candidates, tasks);
  }

  @Override
  public void close() {
    joined.close();
    probabilities.close();
    logits.close();
  }
}
