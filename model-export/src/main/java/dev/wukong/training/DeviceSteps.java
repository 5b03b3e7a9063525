package dev.wukong.training;

import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.Accelerator.Priority;
import dev.wukong.runtime.device.BoundGraph;
import dev.wukong.runtime.device.DeviceBuffer;
import dev.wukong.runtime.device.GraphOptions;
import dev.wukong.runtime.device.Place;
import dev.wukong.runtime.device.WorkQueue;
import dev.wukong.runtime.device.WorkQueue.Recording;
import dev.wukong.training.StepBorder.Tensors;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The graph of a step on a device, its places there, and its recordings: one for each pair of
 * copies that a step reads and writes. In a queue that lets answers go first. Owned by the training
 * thread.
 */
final class DeviceSteps implements AutoCloseable {
  /** Steps of a shape before one is recorded: in these the session takes all memory it needs. */
  private static final int BEFORE_RECORDING = 2;

  private final StepBody body;
  private final Optional<FlatUpdate> flat;
  private final Accelerator accelerator;
  private final GraphOptions options;
  private final WorkQueue queue;
  private final byte[] model;
  private final BoundGraph graph;
  private final StepMemory memory;
  private final StepBinder binder;
  private final Opened opened;

  /** What vectors go through, where there are some. */
  private @Nullable BoundGraph update;

  /**
   * The same graph for the shape of now alone, to be recorded: with all sizes known nothing is left
   * that the processors work out during a run, and no recording holds what they do.
   */
  private @Nullable BoundGraph fixed;

  private StepBorder border = StepBorder.NONE;
  private final Map<Integer, Bound> bound = new HashMap<>();
  private int steps;

  /** The ways in which a step from one copy to another is made. */
  private static final class Bound {
    final StepRun plain;
    @Nullable StepRun fixed;
    @Nullable Recording recording;
    boolean unrecorded;

    Bound(StepRun plain) {
      this.plain = plain;
    }

    void close() {
      if (recording != null) {
        recording.close();
      }
      if (fixed != null) {
        fixed.close();
      }
      plain.close();
    }
  }

  /**
   * Loads what steps need.
   *
   * @param step its whole graph
   * @param flat the same cut, where it could be
   */
  DeviceSteps(
      StepBody step, Optional<FlatUpdate> flat, Accelerator accelerator, GraphOptions options) {
    this.body = flat.map(FlatUpdate::body).orElse(step);
    this.flat = flat;
    this.accelerator = accelerator;
    this.options = options;
    this.queue = accelerator.queue(Priority.LOW);
    this.model = model(body.graph());
    try (Opened parts = new Opened()) {
      parts.add(queue);
      queue.enter();
      this.graph = parts.add(BoundGraph.load(model, accelerator.device(), queue, options));
      if (flat.isPresent()) {
        byte[] vectors = model(flat.get().update());
        this.update = parts.add(BoundGraph.load(vectors, accelerator.device(), queue, alone()));
      }
      this.memory = parts.add(new StepMemory(accelerator, queue, flat));
      this.binder = new StepBinder(body, flat, memory, accelerator.device());
      this.opened = parts.moved();
    }
  }

  private byte[] model(Graph of) {
    Lowering lowering =
        switch (accelerator.device()) {
          case Device.Cpu() -> Lowering.CPU;
          case Device.Cuda _ -> Lowering.CUDA;
        };
    return OnnxWriter.write(of, lowering, Map.of(), Map.of()).toByteArray();
  }

  /** What moves rows in the queue of the steps. */
  RowBus bus() {
    return new RowBus(accelerator, queue, alone());
  }

  /** For graphs between the steps' own, whose threads would take the processors from those. */
  private GraphOptions alone() {
    return new GraphOptions(1, false, options.cuda());
  }

  void enter() {
    queue.enter();
  }

  /** Makes room for steps of a border. */
  void shape(StepBorder wanted) {
    if (wanted.sameAs(border)) {
      return;
    }
    forget();
    border = StepBorder.NONE; // Until there is room.
    memory.room(wanted.changing(), wanted.rest());
    steps = 0;
    border = wanted;
  }

  /** Ends what was made for one shape. */
  private void forget() {
    bound.values().forEach(Bound::close);
    bound.clear();
    if (fixed != null) {
      fixed.close();
      fixed = null;
    }
  }

  /** Where a tensor of a copy begins. */
  DeviceBuffer start(int copy, String name) {
    return memory.copy(copy, name);
  }

  /** Copies to a tensor of a copy; zeroes the rest of it. */
  void give(int copy, String name, MemorySegment host) {
    queue.toDevice(memory.copy(copy, name), host, host.byteSize());
    zero(copy, name, host.byteSize());
  }

  /** Zeroes what a tensor of a copy has beyond its first bytes. */
  void zero(int copy, String name, long bytes) {
    Tensors tensor = Objects.requireNonNull(border.changing().get(name), name);
    long rest = Place.bytes(tensor.element(), tensor.shape()) - bytes;
    if (rest > 0) {
      queue.zero(memory.copy(copy, name), bytes, rest);
    }
  }

  /** Copies to an input of the next step. */
  void give(String name, MemorySegment host) {
    queue.toDevice(memory.single(name), host, host.byteSize());
  }

  /** Copies the start of a tensor of a copy, once the steps are done. */
  void take(int copy, String name, MemorySegment host) {
    queue.toHost(host, memory.copy(copy, name), host.byteSize());
  }

  /** Copies a result of the last step, once that is done. */
  void take(String name, MemorySegment host) {
    queue.toHost(host, memory.single(name), host.byteSize());
  }

  /** Makes a step from one copy to another. */
  void step(int from, int to) {
    Bound step =
        bound.computeIfAbsent(from * StepMemory.COPIES + to, _ -> new Bound(bind(graph, from, to)));
    if (step.recording != null) {
      step.recording.replay();
      return;
    }
    if (accelerator.records() && steps++ >= BEFORE_RECORDING && !step.unrecorded) {
      StepRun own = bind(fixed(), from, to);
      step.fixed = own;
      for (int i = 0; i < BEFORE_RECORDING; i++) { // So that it has all memory that it needs.
        own.run();
        queue.await();
      }
      Optional<Recording> made = queue.record(own::run);
      if (made.isPresent() && agrees(step.plain, made.get(), to)) {
        step.recording = made.get();
        step.recording.replay();
        return;
      }
      made.ifPresent(Recording::close);
      step.unrecorded = true;
    }
    step.plain.run();
  }

  private StepRun bind(BoundGraph on, int from, int to) {
    return binder.bind(border, on, update, from, to);
  }

  private BoundGraph fixed() {
    BoundGraph known = fixed;
    if (known == null) {
      known =
          BoundGraph.load(model, accelerator.device(), queue, options.fixed(border.sizes(body)));
      fixed = known;
    }
    return known;
  }

  /** Whether a recording gives what the step gives. */
  private boolean agrees(StepRun plain, Recording recording, int to) {
    List<DeviceBuffer> results = new ArrayList<>();
    results.add(memory.single("loss"));
    results.add(memory.single("probabilities"));
    // Of what is changed, the first and the last: they are not in one part of a vector.
    flat.ifPresent(update -> results.add(memory.copy(to, update.parts().firstEntry().getKey())));
    flat.ifPresent(update -> results.add(memory.copy(to, update.parts().lastEntry().getKey())));
    // What a run before has left there is no result.
    results.forEach(result -> queue.zero(result, 0, result.bytes()));
    recording.replay();
    float[] found = read(results);
    plain.run();
    float[] expected = read(results);
    for (int i = 0; i < found.length; i++) {
      if (!(Math.abs(found[i] - expected[i]) <= 1e-3 * (1 + Math.abs(expected[i])))) {
        return false;
      }
    }
    return true;
  }

  private float[] read(List<DeviceBuffer> results) {
    long bytes = results.stream().mapToLong(DeviceBuffer::bytes).sum();
    float[] read = new float[Math.toIntExact(bytes / Float.BYTES)];
    MemorySegment host = accelerator.allocateHost(bytes);
    try {
      long at = 0;
      for (DeviceBuffer result : results) {
        queue.toHost(host.asSlice(at), result, result.bytes());
        at += result.bytes();
      }
      queue.await();
      MemorySegment.ofArray(read).copyFrom(host);
      return read;
    } finally {
      accelerator.freeHost(host);
    }
  }

  /** Waits until all copies and steps are done. */
  void await() {
    queue.await();
  }

  @Override
  public void close() {
    queue.enter();
    queue.await();
    forget();
    opened.close();
  }
}
