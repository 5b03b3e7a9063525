package dev.wukong.training;

import dev.wukong.graph.Dim;
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
  /** Of all that steps change; see {@link DeviceStepper}. */
  static final int COPIES = 3;

  /** Steps of a shape before one is recorded: in these the session takes all memory it needs. */
  private static final int BEFORE_RECORDING = 2;

  private final StepBody body;
  private final Accelerator accelerator;
  private final GraphOptions options;
  private final WorkQueue queue;
  private final byte[] model;
  private final BoundGraph graph;

  /**
   * The same graph for the shape of now alone, to be recorded: with all sizes known nothing is left
   * that the processors work out during a run, and no recording holds what they do.
   */
  private @Nullable BoundGraph fixed;

  /** By copy and name: what steps change. */
  private final List<Map<String, DeviceBuffer>> copies = new ArrayList<>();

  /** By name: a minibatch's inputs and results. */
  private final Map<String, DeviceBuffer> single = new HashMap<>();

  private Map<String, Tensors> changing = Map.of();
  private Map<String, Tensors> rest = Map.of();
  private String shape = "";
  private final Map<Integer, Bound> bound = new HashMap<>();
  private int steps;

  /** A step from one copy to another. */
  private static final class Bound {
    final Binding binding;
    @Nullable Binding fixed;
    @Nullable Recording recording;
    boolean unrecorded;

    Bound(Binding binding) {
      this.binding = binding;
    }

    void close() {
      if (recording != null) {
        recording.close();
      }
      if (fixed != null) {
        fixed.close();
      }
      binding.close();
    }
  }

  DeviceSteps(StepBody body, Accelerator accelerator, GraphOptions options) {
    this.body = body;
    this.accelerator = accelerator;
    this.options = options;
    this.queue = accelerator.queue(Priority.LOW);
    Lowering lowering =
        switch (accelerator.device()) {
          case Device.Cpu() -> Lowering.CPU;
          case Device.Cuda _ -> Lowering.CUDA;
        };
    this.model = OnnxWriter.write(body.graph(), lowering, Map.of(), Map.of()).toByteArray();
    boolean loaded = false;
    try {
      queue.enter();
      this.graph = BoundGraph.load(model, accelerator.device(), queue, options);
      loaded = true;
    } finally {
      if (!loaded) {
        queue.close();
      }
    }
    for (int copy = 0; copy < COPIES; copy++) {
      copies.add(new HashMap<>());
    }
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
    shape = described.toString();
    steps = 0;
    this.changing = Map.copyOf(changing);
    this.rest = Map.copyOf(others);
    for (Map<String, DeviceBuffer> copy : copies) {
      changing.forEach((name, tensor) -> room(copy, name, tensor));
    }
    others.forEach((name, tensor) -> room(single, name, tensor));
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

  /** Room for a tensor; what is in it stays where there is enough. */
  private void room(Map<String, DeviceBuffer> places, String name, Tensors tensor) {
    long bytes = Place.bytes(tensor.element(), tensor.shape());
    DeviceBuffer before = places.get(name);
    if (before != null && before.bytes() >= bytes) {
      return;
    }
    if (before != null) {
      queue.await();
      places.remove(name);
      accelerator.free(before);
    }
    places.put(name, accelerator.allocate(bytes));
  }

  private static DeviceBuffer place(Map<String, DeviceBuffer> places, String name) {
    return Objects.requireNonNull(places.get(name), name);
  }

  /** Copies to a tensor of a copy; zeroes the rest of it. */
  void give(int copy, String name, MemorySegment host) {
    DeviceBuffer buffer = place(copies.get(copy), name);
    queue.toDevice(buffer, host, host.byteSize());
    Tensors tensor = Objects.requireNonNull(changing.get(name), name);
    long rest = Place.bytes(tensor.element(), tensor.shape()) - host.byteSize();
    if (rest > 0) {
      queue.zero(buffer, host.byteSize(), rest);
    }
  }

  /** Copies to an input of the next step. */
  void give(String name, MemorySegment host) {
    queue.toDevice(place(single, name), host, host.byteSize());
  }

  /** Copies the start of a tensor of a copy, once the steps are done. */
  void take(int copy, String name, MemorySegment host) {
    queue.toHost(host, place(copies.get(copy), name), host.byteSize());
  }

  /** Copies a result of the last step, once that is done. */
  void take(String name, MemorySegment host) {
    queue.toHost(host, place(single, name), host.byteSize());
  }

  /** Makes a step from one copy to another. */
  void step(int from, int to) {
    Bound step = bound.computeIfAbsent(from * COPIES + to, _ -> new Bound(bind(graph, from, to)));
    if (step.recording != null) {
      step.recording.replay();
      return;
    }
    if (accelerator.records() && steps++ >= BEFORE_RECORDING && !step.unrecorded) {
      Binding own = bind(fixed(), from, to);
      step.fixed = own;
      for (int i = 0; i < BEFORE_RECORDING; i++) { // So that it has all memory that it needs.
        own.run();
        queue.await();
      }
      Optional<Recording> made = queue.record(own::run);
      if (made.isPresent() && agrees(step.binding, made.get())) {
        step.recording = made.get();
        step.recording.replay();
        return;
      }
      made.ifPresent(Recording::close);
      step.unrecorded = true;
    }
    step.binding.run();
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
  private boolean agrees(Binding binding, Recording recording) {
    recording.replay();
    float[] found = results();
    binding.run();
    float[] expected = results();
    for (int i = 0; i < found.length; i++) {
      if (!(Math.abs(found[i] - expected[i]) <= 1e-3 * (1 + Math.abs(expected[i])))) {
        return false;
      }
    }
    return true;
  }

  /** The loss and the probabilities. */
  private float[] results() {
    Tensors shape = Objects.requireNonNull(rest.get("probabilities"));
    long bytes = Place.bytes(shape.element(), shape.shape());
    float[] results = new float[(int) (bytes / Float.BYTES) + 1];
    MemorySegment host = accelerator.allocateHost(bytes + Float.BYTES);
    try {
      queue.toHost(host, place(single, "probabilities"), bytes);
      queue.toHost(host.asSlice(bytes), place(single, "loss"), Float.BYTES);
      queue.await();
      MemorySegment.ofArray(results).copyFrom(host);
      return results;
    } finally {
      accelerator.freeHost(host);
    }
  }

  private Binding bind(BoundGraph on, int from, int to) {
    Map<String, Place> in = new HashMap<>();
    Map<String, Place> out = new HashMap<>();
    changing.forEach(
        (name, tensor) -> {
          in.put(name, at(name, tensor, copies.get(from)));
          out.put("new/" + name, at(name, tensor, copies.get(to)));
        });
    rest.forEach(
        (name, tensor) -> {
          in.put(name, at(name, tensor, single));
          out.put(name, at(name, tensor, single));
        });
    return on.bind(
        places(body.graph().inputs().stream().map(Tensor::name).toList(), body.inputs(), in),
        places(List.copyOf(body.graph().outputs().keySet()), body.outputs(), out));
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

  private static Place at(String name, Tensors tensor, Map<String, DeviceBuffer> places) {
    return new Place(name, tensor.element(), tensor.shape(), place(places, name));
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
    graph.close();
    copies.forEach(copy -> copy.values().forEach(accelerator::free));
    single.values().forEach(accelerator::free);
    queue.close();
  }
}
