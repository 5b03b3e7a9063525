package dev.wukong.training;

import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.Tensor;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.Accelerator.Priority;
import dev.wukong.runtime.device.BoundGraph;
import dev.wukong.runtime.device.BoundGraph.Binding;
import dev.wukong.runtime.device.DeviceBuffer;
import dev.wukong.runtime.device.Element;
import dev.wukong.runtime.device.GraphOptions;
import dev.wukong.runtime.device.Place;
import dev.wukong.runtime.device.WorkQueue;
import dev.wukong.runtime.device.WorkQueue.Recording;
import dev.wukong.training.DeviceStepper.Tensors;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
  /**
   * Floats of a vector that a processor updates at a time: those of all vectors, and what is made
   * on the way, stay in its cache. A GPU takes whole vectors.
   */
  private static final long CACHED = 32_768;

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
  private final Opened opened;

  /** What vectors go through, where there are some. */
  private @Nullable BoundGraph update;

  /**
   * The same graph for the shape of now alone, to be recorded: with all sizes known nothing is left
   * that the processors work out during a run, and no recording holds what they do.
   */
  private @Nullable BoundGraph fixed;

  private Map<String, Tensors> changing = Map.of();
  private Map<String, Tensors> rest = Map.of();
  private String shape = "";
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

  /**
   * Makes room for steps.
   *
   * @param batch examples of a minibatch
   * @param changing what a step changes
   * @param examples what it takes beside, of some minibatches
   */
  void shape(int batch, Map<String, Tensors> changing, List<RowBlock> examples, int tasks) {
    Map<String, Tensors> others = new LinkedHashMap<>();
    for (RowBlock input : examples) {
      long[] dims = new long[input.tail().length + 1];
      dims[0] = batch;
      System.arraycopy(input.tail(), 0, dims, 1, input.tail().length);
      others.put(input.name(), new Tensors(DeviceStepper.element(input.type()), dims));
    }
    Tensors scalar = new Tensors(Element.FLOAT32, new long[0]);
    others.put("learning_rate", scalar);
    others.put("learning_rate.rows", scalar);
    others.put("loss", scalar);
    others.put("probabilities", new Tensors(Element.FLOAT32, new long[] {batch, tasks}));
    StringBuilder described = new StringBuilder();
    changing.forEach((name, t) -> described.append(name).append(Arrays.toString(t.shape())));
    others.forEach((name, t) -> described.append(name).append(Arrays.toString(t.shape())));
    if (described.toString().equals(shape)) {
      return;
    }
    forget();
    shape = ""; // Until there is room.
    memory.room(changing, others);
    steps = 0;
    this.changing = Map.copyOf(changing);
    this.rest = Map.copyOf(others);
    shape = described.toString();
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
    Tensors tensor = Objects.requireNonNull(changing.get(name), name);
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

  private BoundGraph fixed() {
    BoundGraph known = fixed;
    if (known == null) {
      known = BoundGraph.load(model, accelerator.device(), queue, options.fixed(sizes()));
      fixed = known;
    }
    return known;
  }

  /** How large the dimensions are now that the graph leaves open. */
  private Map<String, Long> sizes() {
    Map<String, Long> sizes = new HashMap<>();
    List<Tensor> ins = body.graph().inputs();
    for (int i = 0; i < ins.size(); i++) {
      String name = body.inputs().get(i);
      Tensors tensor = changing.getOrDefault(name, rest.get(name));
      List<Dim> dims = ins.get(i).shape().dims();
      for (int d = 0; d < dims.size() && tensor != null; d++) {
        if (dims.get(d).equals(Dim.of(dims.get(d).symbol()))) {
          sizes.put(dims.get(d).symbol(), tensor.shape()[d]);
        }
      }
    }
    return sizes;
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

  private StepRun bind(BoundGraph on, int from, int to) {
    Map<String, Place> in = new HashMap<>();
    Map<String, Place> out = new HashMap<>();
    changing.forEach(
        (name, tensor) -> {
          in.put(name, at(name, tensor, memory.copy(from, name)));
          out.put("new/" + name, at(name, tensor, memory.copy(to, name)));
        });
    rest.forEach(
        (name, tensor) -> {
          in.put(name, at(name, tensor, memory.single(name)));
          out.put(name, at(name, tensor, memory.single(name)));
        });
    flat.ifPresent(update -> handed(update, out));
    List<Binding> bindings = new ArrayList<>();
    bindings.add(
        on.bind(
            places(body.graph().inputs().stream().map(Tensor::name).toList(), body.inputs(), in),
            places(List.copyOf(body.graph().outputs().keySet()), body.outputs(), out)));
    flat.ifPresent(update -> bindings.addAll(updates(update, from, to)));
    return new StepRun(bindings);
  }

  /** Places of what the body hands on. */
  private void handed(FlatUpdate update, Map<String, Place> out) {
    for (String vector : update.given()) {
      for (String weight : update.parts().keySet()) {
        String name = FlatUpdate.member(vector, weight);
        Tensors like = Objects.requireNonNull(changing.get(weight), weight);
        out.put(name, at(name, like, memory.single(name)));
      }
    }
    Tensors scalar = new Tensors(Element.FLOAT32, new long[0]);
    update.scalars().forEach(name -> out.put(name, at(name, scalar, memory.single(name))));
  }

  /** The update of all vectors, by parts. */
  private List<Binding> updates(FlatUpdate flat, int from, int to) {
    long most =
        switch (accelerator.device()) {
          case Device.Cpu() -> CACHED;
          case Device.Cuda _ -> flat.length();
        };
    BoundGraph on = Objects.requireNonNull(update);
    List<Binding> bindings = new ArrayList<>();
    for (long start = 0; start < flat.length(); start += most) {
      long count = Math.min(most, flat.length() - start);
      List<Place> in = new ArrayList<>();
      List<Place> out = new ArrayList<>();
      for (String vector : flat.kept()) {
        in.add(part(vector, memory.copy(from, vector), start, count));
        out.add(part("new/" + vector, memory.copy(to, vector), start, count));
      }
      for (String vector : flat.given()) {
        in.add(part(vector, memory.single(vector), start, count));
      }
      for (String name : flat.scalars()) {
        in.add(new Place(name, Element.FLOAT32, new long[0], memory.single(name)));
      }
      bindings.add(on.bind(in, out));
    }
    return bindings;
  }

  private static Place part(String name, DeviceBuffer vector, long start, long count) {
    DeviceBuffer own = vector.slice(start * Float.BYTES, count * Float.BYTES);
    return new Place(name, Element.FLOAT32, new long[] {count}, own);
  }

  /** The border of the body as places. */
  private static List<Place> places(
      List<String> names, List<String> contract, Map<String, Place> byContract) {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      Place place = Objects.requireNonNull(byContract.get(contract.get(i)), contract.get(i));
      places.add(new Place(names.get(i), place.element(), place.shape(), place.buffer()));
    }
    return places;
  }

  private static Place at(String name, Tensors tensor, DeviceBuffer buffer) {
    return new Place(name, tensor.element(), tensor.shape(), buffer);
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
