package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.InputNames;
import dev.wukong.graph.Shape;
import dev.wukong.objective.StepGraph;
import dev.wukong.objective.UpdateRule;
import dev.wukong.ranker.Network;
import dev.wukong.runtime.device.Element;
import dev.wukong.training.StepBorder.Tensors;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whole steps are the graph's, and what they change stays on the device: weights and their
 * optimizer's state from run to run, rows and theirs while a block of minibatches uses them. Of
 * each there are three copies: what was before the block, and two that steps read and write by
 * turns; where a loss is no number, the first is still there.
 */
final class DeviceStepper implements Stepper, AutoCloseable {
  /** Rows of a group are made room for in steps of an eighth of what they are, at least so many. */
  private static final int LEAST_ROOM = 64;

  private static final long[] SCALAR = {};

  private final List<Network.DropoutMask> masks;
  private final UpdateRule rule;
  private final TrainState state;
  private final BatchInputs inputs;
  private final DeviceSteps device;
  private final BlockRows rows;

  /** By group: rows for which the last block had room. */
  private final long[] rooms;

  /** The copy with the newest weights; -1: those of the host are. */
  private int current = -1;

  /** Whether the device's weights are newer than the host's. */
  private boolean ahead;

  DeviceStepper(
      List<Network.DropoutMask> masks,
      UpdateRule rule,
      TrainState state,
      BatchInputs inputs,
      DeviceSteps device,
      BlockRows rows) {
    this.masks = masks;
    this.rule = rule;
    this.state = state;
    this.inputs = inputs;
    this.device = device;
    this.rows = rows;
    this.rooms = new long[state.layout().groups().size()];
  }

  @Override
  public List<TrainSession.Step> run(EncodedExamples block, Steps steps) {
    int count = steps.count();
    int batch = block.rows() / count;
    rows.bind(block);
    FloatBuffer losses = state.buffers().floats("loss", count);
    int bytes = Math.multiplyExact(batch, state.tasks()) * Float.BYTES;
    ByteBuffer probabilities =
        state.buffers().bytes("probabilities", Math.multiplyExact(bytes, count));
    List<RowBlock> examples = inputs.examples(block, masks, steps);
    device.enter();
    device.shape(StepBorder.of(batch, changing(), examples, state.tasks()));
    if (current < 0) {
      current = 0;
      weights((name, buffer) -> device.give(current, name, buffer));
    }
    rows.give(current);
    LongBuffer number = state.buffers().longs("step", 1);
    number.put(0, steps.first());
    device.give(current, "step", MemorySegment.ofBuffer(number));
    FloatBuffer rates = rates(steps);
    int at = current;
    for (int k = 0; k < count; k++) {
      int to = k == 0 ? (current + 1) % StepMemory.COPIES : StepMemory.COPIES - current - at;
      for (RowBlock input : examples) {
        device.give(input.name(), slice(input.bytes(), k, count));
      }
      MemorySegment rate = MemorySegment.ofBuffer(rates);
      device.give("learning_rate", rate.asSlice(2L * k * Float.BYTES, Float.BYTES));
      device.give("learning_rate.rows", rate.asSlice((2L * k + 1) * Float.BYTES, Float.BYTES));
      device.step(at, to);
      device.take("loss", MemorySegment.ofBuffer(losses).asSlice((long) k * Float.BYTES, 4));
      device.take("probabilities", slice(probabilities, k, count));
      at = to;
    }
    device.await();
    for (int k = 0; k < count; k++) {
      Stepper.checkFinite(losses.get(k), steps.first() + k);
    }
    rows.take(at);
    current = at;
    ahead = true;
    return Stepper.results(losses, probabilities, count);
  }

  private static MemorySegment slice(ByteBuffer bytes, int k, int count) {
    long each = bytes.capacity() / count;
    return MemorySegment.ofBuffer(bytes).asSlice(k * each, each);
  }

  /** By step: the rate of dense weights, then that of rows. */
  private FloatBuffer rates(Steps steps) {
    FloatBuffer rates = state.buffers().floats("rates", 2 * steps.count());
    double dense = state.config().dense().learningRate();
    double rows = state.config().rows().optimizer().learningRate();
    for (int k = 0; k < steps.count(); k++) {
      rates.put(2 * k, (float) (dense * steps.factors()[k]));
      rates.put(2 * k + 1, (float) (rows * steps.rowFactors()[k]));
    }
    return rates;
  }

  /** All that a step changes. */
  private Map<String, Tensors> changing() {
    Map<String, Tensors> all = new LinkedHashMap<>();
    for (WeightState of : List.of(state.weights(), state.statistics())) {
      of.places()
          .forEach(
              (name, place) -> {
                Tensors tensor = new Tensors(Element.FLOAT32, place.shape().sizes());
                all.put(name, tensor);
                for (int i = 0; i < of.stateSlots(); i++) {
                  all.put(StepGraph.state(i, name), tensor);
                }
              });
    }
    for (int group = 0; group < state.layout().groups().size(); group++) {
      String name = InputNames.rows(state.layout().groups().get(group));
      Shape shape = roomOf(group);
      all.put(name, new Tensors(Element.FLOAT32, shape.sizes()));
      int slot = 0;
      for (Shape own : rule.rows().state(shape)) {
        all.put(StepGraph.state(slot++, name), new Tensors(Element.FLOAT32, own.sizes()));
      }
    }
    all.put("step", new Tensors(Element.INT64, SCALAR));
    return all;
  }

  /** The rows of a group with room for more: rows that nothing names have no gradient. */
  private Shape roomOf(int group) {
    rooms[group] = room(state.rows().size(group), rooms[group]);
    return Shape.of(rooms[group], state.layout().groups().get(group).width());
  }

  /**
   * Room for a block's rows, so that blocks of about as many have one shape, for which steps are
   * recorded once: the last block's, unless that is too small or a quarter of it would be idle.
   */
  static long room(int rows, long last) {
    if (rows <= last && rows > last / 4 * 3) {
      return last;
    }
    int step = Math.max(LEAST_ROOM, Integer.highestOneBit(rows) / 8);
    return ((long) rows + step - 1) / step * step;
  }

  /** Does something with each weight, statistic and state of the host's. */
  private void weights(Weight each) {
    for (WeightState of : List.of(state.weights(), state.statistics())) {
      for (String name : of.places().keySet()) {
        each.with(name, MemorySegment.ofBuffer(of.buffer(name)));
        for (int i = 0; i < of.stateSlots(); i++) {
          each.with(StepGraph.state(i, name), MemorySegment.ofBuffer(of.state(i, name)));
        }
      }
    }
  }

  private interface Weight {
    void with(String name, MemorySegment host);
  }

  @Override
  public void settle() {
    if (ahead) {
      device.enter();
      weights((name, buffer) -> device.take(current, name, buffer));
      device.await();
      ahead = false;
    }
  }

  @Override
  public void changed() {
    settle();
    current = -1;
  }

  @Override
  public void close() {
    try (device;
        rows) { // Rows first: they move in the device's queue.
      device.enter();
      device.await();
    }
  }
}
