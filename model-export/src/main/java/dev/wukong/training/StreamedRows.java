package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Group;
import dev.wukong.data.InputNames;
import dev.wukong.graph.Shape;
import dev.wukong.objective.StepGraph;
import dev.wukong.objective.UpdateRule;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** Rows that come from the host for each block, and go back after it. */
final class StreamedRows implements BlockRows {
  private final TrainState state;
  private final UpdateRule rule;
  private final DeviceSteps device;

  StreamedRows(TrainState state, UpdateRule rule, DeviceSteps device) {
    this.state = state;
    this.rule = rule;
    this.device = device;
  }

  @Override
  public void bind(EncodedExamples block) {
    state.rows().bind(block, true);
  }

  @Override
  public void give(int copy) {
    for (int group = 0; group < state.layout().groups().size(); group++) {
      Group of = state.layout().groups().get(group);
      String name = InputNames.rows(of);
      device.give(copy, name, MemorySegment.ofBuffer(state.rows().rows(group)));
      Shape shape = Shape.of(state.rows().size(group), of.width());
      int slot = 0;
      for (Shape own : rule.rows().state(shape)) {
        String stateName = StepGraph.state(slot, name);
        FloatBuffer before =
            state.buffers().floats(stateName, Math.toIntExact(own.elements().size()));
        state.rows().state(group, slot++, before);
        device.give(copy, stateName, MemorySegment.ofBuffer(before));
      }
    }
  }

  @Override
  public void take(int copy) {
    List<FloatBuffer> rows = new ArrayList<>();
    List<List<FloatBuffer>> states = new ArrayList<>();
    for (Group of : state.layout().groups()) {
      String name = InputNames.rows(of);
      Shape shape = Shape.of(state.rows().size(rows.size()), of.width());
      rows.add(taken(copy, name, shape));
      List<FloatBuffer> own = new ArrayList<>();
      for (Shape slot : rule.rows().state(shape)) {
        own.add(taken(copy, StepGraph.state(own.size(), name), slot));
      }
      states.add(own);
    }
    device.await();
    for (int group = 0; group < rows.size(); group++) {
      state.rows().take(group, rows.get(group), states.get(group));
    }
  }

  private FloatBuffer taken(int copy, String name, Shape shape) {
    FloatBuffer buffer =
        state.buffers().floats("new/" + name, Math.toIntExact(shape.elements().size()));
    device.take(copy, name, MemorySegment.ofBuffer(buffer));
    return buffer;
  }

  @Override
  public void close() {}
}
