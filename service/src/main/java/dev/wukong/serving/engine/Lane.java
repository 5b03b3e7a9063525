package dev.wukong.serving.engine;

import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.GraphInput;
import dev.wukong.bundle.GraphInput.Axis;
import dev.wukong.bundle.GraphInputs;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.Accelerator.Priority;
import dev.wukong.runtime.device.BoundGraph;
import dev.wukong.runtime.device.DeviceBuffer;
import dev.wukong.runtime.device.Element;
import dev.wukong.runtime.device.GraphOptions;
import dev.wukong.runtime.device.Place;
import dev.wukong.runtime.device.WorkQueue;
import dev.wukong.runtime.device.WorkQueue.Recording;
import dev.wukong.serving.inputs.HostTensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;

/**
 * One run at a time on one device: a session, its queue, and the places of its inputs and outputs
 * on the device. Runs of a recorded shape are one launch; what they have fewer than the shape has
 * room for is whatever the places held before, and nobody looks at what comes of it. One thread at
 * a time.
 */
final class Lane implements AutoCloseable {
  private static final System.Logger log = System.getLogger(Lane.class.getName());

  /** Runs before one is recorded: in these the session takes all memory it needs. */
  private static final int BEFORE_RECORDING = 2;

  private static final int MEASURED_RUNS = 5;

  /** Distinct rows that are made up to try a recording: all that fit would take seconds a load. */
  private static final int TRIED_ROWS = 4096;

  /** How far a recorded run's results may be from those of one that is not. */
  private static final double TOLERANCE = 1e-3;

  private final Accelerator accelerator;
  private final List<GraphInput> inputs;
  private final int tasks;
  private final WorkQueue queue;
  private final BoundGraph graph;

  /** By input or output. */
  private final Map<String, DeviceBuffer> buffers = new HashMap<>();

  private final Map<BatchShape, Recorded> recorded = new HashMap<>();

  /**
   * Distinct rows and contexts of the largest run so far: what earlier runs left in places names no
   * others.
   */
  private final Map<String, Integer> named = new HashMap<>();

  private record Recorded(BoundGraph.Binding binding, Recording recording) {
    void close() {
      recording.close();
      binding.close();
    }
  }

  /**
   * Loads {@code graph} for one queue of its own.
   *
   * @throws dev.wukong.runtime.device.GraphException if it cannot be loaded
   * @throws EngineException if it has other inputs or outputs
   */
  Lane(
      Accelerator accelerator,
      byte[] model,
      List<GraphInput> inputs,
      int tasks,
      GraphOptions options) {
    this.accelerator = accelerator;
    this.inputs = inputs;
    this.tasks = tasks;
    this.queue = accelerator.queue(Priority.HIGH);
    boolean loaded = false;
    BoundGraph made = null;
    try {
      queue.enter();
      made = BoundGraph.load(model, accelerator.device(), queue, options);
      Map<String, String> types = new LinkedHashMap<>();
      made.inputs()
          .forEach((name, type) -> types.put(name, type.map(Element::name).orElse("no number")));
      GraphCheck.require(types, made.outputs(), inputs);
      loaded = true;
    } finally {
      if (!loaded) {
        if (made != null) {
          made.close();
        }
        queue.close();
      }
    }
    graph = made;
  }

  /** Makes room for runs of {@code shape}: larger ones end what is recorded. */
  void reserve(BatchShape shape) {
    queue.enter();
    inputs.forEach(input -> buffer(input.name(), input.length(shape) * input.rowBytes()));
    for (String name : GraphInputs.OUTPUTS) {
      buffer(name, (long) shape.candidates() * tasks * Float.BYTES);
    }
  }

  /**
   * Records {@code shape}, checks the recording, and tells {@code book} what it costs.
   *
   * @return whether it is recorded
   */
  boolean record(BatchShape shape, ShapeBook book) {
    queue.enter();
    int candidates = shape.candidates();
    BoundGraph.Binding binding = bind(shape, input -> length(input, shape, book.room()));
    boolean kept = false;
    try {
      fill(shape, book.room(), 1);
      for (int i = 0; i < BEFORE_RECORDING; i++) {
        binding.run();
        queue.await();
      }
      Optional<Recording> recording = queue.record(binding::run);
      if (recording.isEmpty()) {
        return false;
      }
      Recorded made = new Recorded(binding, recording.get());
      kept = true;
      recorded.put(shape, made);
      if (!agrees(made, shape, book.room())) {
        log.log(
            System.Logger.Level.WARNING,
            "device ''{0}'': batches of {1} are not recorded, as the results differ",
            accelerator.device(),
            candidates);
        forget(shape);
        return false;
      }
      if (!book.measured()) {
        book.measured(shape, nanos(binding::run), nanos(made.recording()::replay));
      }
      return true;
    } finally {
      if (!kept) {
        binding.close();
      }
    }
  }

  /** Forgets a shape. */
  void forget(BatchShape shape) {
    Recorded made = recorded.remove(shape);
    if (made != null) {
      made.close();
    }
  }

  /** The shapes that are recorded. */
  List<BatchShape> recorded() {
    return List.copyOf(recorded.keySet());
  }

  /** Whether a recording gives what a run gives, for inputs that it was not recorded with. */
  private boolean agrees(Recorded made, BatchShape shape, BatchShape room) {
    fill(shape, room, 2);
    made.recording().replay();
    float[] found = results(shape);
    made.binding().run();
    float[] expected = results(shape);
    for (int i = 0; i < found.length; i++) {
      double furthest = TOLERANCE * (1 + Math.abs(expected[i]));
      boolean close = Math.abs((double) found[i] - expected[i]) <= furthest;
      // What was made up may be too much for half precision: then both are no number.
      if (!close && Float.compare(found[i], expected[i]) != 0) {
        return false;
      }
    }
    return true;
  }

  private float[] results(BatchShape shape) {
    int length = Math.multiplyExact(shape.candidates(), tasks);
    float[] results = new float[2 * length];
    MemorySegment host = accelerator.allocateHost((long) results.length * Float.BYTES);
    try {
      long bytes = (long) length * Float.BYTES;
      queue.toHost(host, buffer(GraphInputs.PROBABILITIES, bytes), bytes);
      queue.toHost(host.asSlice(bytes), buffer(GraphInputs.LOGITS, bytes), bytes);
      queue.await();
      MemorySegment.ofArray(results).copyFrom(host);
      return results;
    } finally {
      accelerator.freeHost(host);
    }
  }

  private double nanos(Runnable work) {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < MEASURED_RUNS; i++) {
      long began = System.nanoTime();
      work.run();
      queue.await();
      least = Math.min(least, System.nanoTime() - began);
    }
    return least;
  }

  /**
   * The length of an input's first dimension in what is recorded. Of rows in every shape the same:
   * what a larger batch has left in a smaller one's places then names one of them, too.
   */
  private static int length(GraphInput input, BatchShape shape, BatchShape room) {
    return input.length(input.axis() == Axis.ROWS ? room : shape);
  }

  /** Makes something up for all inputs of a shape; of rows the first few, which alone are named. */
  private void fill(BatchShape shape, BatchShape room, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (GraphInput input : inputs) {
      int most = input.axis() == Axis.ROWS ? TRIED_ROWS : Integer.MAX_VALUE;
      int length = Math.min(most, length(input, shape, room));
      MemorySegment host = accelerator.allocateHost(length * input.rowBytes());
      try {
        input.fill(host, length, Math.min(TRIED_ROWS, named(input, shape, room)), random);
        queue.toDevice(buffer(input.name(), host.byteSize()), host, host.byteSize());
        queue.await();
      } finally {
        accelerator.freeHost(host);
      }
      if (input.type() == Element.INT32) {
        remember(input, named(input, shape, room));
      }
    }
  }

  /** What the values of an input that names rows or contexts lie below. */
  private int named(GraphInput input, BatchShape shape, BatchShape room) {
    return GraphInputs.named(input, inputs, shape.contexts(), rows -> length(rows, shape, room));
  }

  private void remember(GraphInput input, int count) {
    named.merge(input.name(), count, Math::max);
  }

  /** Runs the graph once; see {@link Engine#run}. */
  void run(List<HostTensor> in, List<HostTensor> out, ShapeBook book) {
    queue.enter();
    BatchShape run = shape(in, out);
    Optional<BatchShape> fit = book.fit(run).filter(recorded::containsKey);
    if (fit.isPresent()) {
      book.used(fit.get());
      copy(in, Optional.of(fit.get()), book.room());
      Objects.requireNonNull(recorded.get(fit.get())).recording().replay();
      give(out);
      return;
    }
    Map<String, Integer> lengths = new HashMap<>();
    in.forEach(tensor -> lengths.put(tensor.name(), (int) tensor.shape()[0]));
    try (BoundGraph.Binding binding =
        bind(run, input -> Objects.requireNonNull(lengths.get(input.name())))) {
      copy(in, Optional.empty(), book.room());
      binding.run();
      give(out);
    }
  }

  private BatchShape shape(List<HostTensor> in, List<HostTensor> out) {
    int contexts = 0;
    for (GraphInput input : inputs) {
      if (input.axis() == Axis.CONTEXTS) {
        contexts = (int) tensor(in, input.name()).shape()[0];
      }
    }
    return new BatchShape((int) out.getFirst().shape()[0], contexts);
  }

  private static HostTensor tensor(List<HostTensor> in, String name) {
    for (HostTensor tensor : in) {
      if (tensor.name().equals(name)) {
        return tensor;
      }
    }
    throw new IllegalArgumentException("the input '" + name + "' is missing");
  }

  /**
   * Copies the inputs to their places.
   *
   * @param shape what is recorded; empty where the graph runs on them as they are
   */
  private void copy(List<HostTensor> in, Optional<BatchShape> shape, BatchShape room) {
    for (GraphInput input : inputs) {
      HostTensor tensor = tensor(in, input.name());
      long bytes = tensor.bytes().limit();
      DeviceBuffer buffer = buffer(input.name(), bytes);
      if (bytes > 0) {
        queue.toDevice(buffer, MemorySegment.ofBuffer(tensor.bytes()), bytes);
      }
      if (input.type() == Element.INT32) {
        shape.ifPresent(recorded -> clearRest(input, buffer, bytes, recorded, room));
        remember(input, count(in, input));
      }
    }
  }

  /** Of what larger runs have left beyond the input, nothing may name what the shape lacks. */
  private void clearRest(
      GraphInput input, DeviceBuffer buffer, long used, BatchShape shape, BatchShape room) {
    long rest = input.length(shape) * input.rowBytes() - used;
    if (rest > 0 && named.getOrDefault(input.name(), 0) > named(input, shape, room)) {
      queue.zero(buffer, used, rest);
    }
  }

  /** How many rows or contexts there are for an input to name. */
  private int count(List<HostTensor> in, GraphInput input) {
    for (GraphInput other : inputs) {
      boolean named =
          input.pointsInto().isEmpty()
              ? other.axis() == Axis.CONTEXTS
              : other.name().equals(input.pointsInto());
      if (named) {
        return (int) tensor(in, other.name()).shape()[0];
      }
    }
    return 1;
  }

  private void give(List<HostTensor> out) {
    for (HostTensor tensor : out) {
      long bytes = tensor.bytes().limit();
      queue.toHost(MemorySegment.ofBuffer(tensor.bytes()), buffer(tensor.name(), bytes), bytes);
    }
    queue.await();
  }

  private BoundGraph.Binding bind(BatchShape shape, ToIntFunction<GraphInput> lengths) {
    List<Place> in = new ArrayList<>();
    for (GraphInput input : inputs) {
      int length = lengths.applyAsInt(input);
      DeviceBuffer buffer = buffer(input.name(), length * input.rowBytes());
      in.add(new Place(input.name(), input.type(), input.shape(length), buffer));
    }
    List<Place> out = new ArrayList<>();
    for (String name : GraphInputs.OUTPUTS) {
      long bytes = (long) shape.candidates() * tasks * Float.BYTES;
      long[] dims = {shape.candidates(), tasks};
      out.add(new Place(name, Element.FLOAT32, dims, buffer(name, bytes)));
    }
    return graph.bind(in, out);
  }

  /** The place of an input or output, with room for {@code bytes}. */
  private DeviceBuffer buffer(String name, long bytes) {
    DeviceBuffer buffer = buffers.get(name);
    if (buffer != null && buffer.bytes() >= bytes) {
      return buffer;
    }
    // What is recorded names the old place.
    recorded.values().forEach(Recorded::close);
    recorded.clear();
    if (buffer != null) {
      buffers.remove(name);
      accelerator.free(buffer);
    }
    DeviceBuffer larger = accelerator.allocate(bytes);
    buffers.put(name, larger);
    return larger;
  }

  @Override
  public void close() {
    queue.enter();
    queue.await();
    recorded.values().forEach(Recorded::close);
    graph.close();
    buffers.values().forEach(accelerator::free);
    queue.close();
  }
}
