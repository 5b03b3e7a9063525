package dev.wukong.runtime.device;

import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.OrtCalls.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A graph that runs on inputs and outputs where they lie, in one queue. One thread at a time;
 * closed after its bindings and before its queue.
 */
public final class BoundGraph implements AutoCloseable {
  private final OrtCalls ort = OrtCalls.get();
  private final MemorySegment session;
  private final MemorySegment runOptions;
  private final MemorySegment memory;
  private final Map<String, Optional<Element>> inputs;
  private final Set<String> outputs;
  private final boolean profiled;

  private BoundGraph(
      MemorySegment session, MemorySegment runOptions, MemorySegment memory, boolean profiled) {
    this.session = session;
    this.runOptions = runOptions;
    this.memory = memory;
    this.profiled = profiled;
    this.inputs = new LinkedHashMap<>();
    for (int i = 0; i < ort.inputs(session); i++) {
      inputs.put(ort.inputName(session, i), element(ort.inputType(session, i)));
    }
    this.outputs = new TreeSet<>();
    for (int i = 0; i < ort.outputs(session); i++) {
      outputs.add(ort.outputName(session, i));
    }
  }

  private static Optional<Element> element(int number) {
    for (Element element : Element.values()) {
      if (element.number() == number) {
        return Optional.of(element);
      }
    }
    return Optional.empty();
  }

  /**
   * Loads a graph.
   *
   * @param model the bytes of an ONNX model, all weights inside
   * @param device on which it runs
   * @param queue of that device, for all its work
   * @throws GraphException if it cannot be loaded
   */
  public static BoundGraph load(
      byte[] model, Device device, WorkQueue queue, GraphOptions settings) {
    OrtCalls ort = OrtCalls.get();
    MemorySegment options = ort.options(settings.threads(), settings.spin());
    try (Arena arena = Arena.ofConfined()) {
      settings.profile().map(Path::toString).ifPresent(prefix -> ort.profile(options, prefix));
      settings.dimensions().forEach((name, size) -> ort.fix(options, name, size));
      if (device instanceof Device.Cuda cuda) {
        useCuda(ort, options, cuda, queue, settings);
      }
      // Read while it is made, and not after.
      MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, model);
      MemorySegment session = ort.session(bytes, options);
      MemorySegment run = ort.runOptions();
      MemorySegment memory =
          switch (device) {
            case Device.Cpu() -> ort.memoryInfo("Cpu", 0);
            case Device.Cuda(int index) -> ort.memoryInfo("Cuda", index);
          };
      // Who waits for the queue waits for the run as well, and for the copies after it.
      ort.configureRun(run, "disable_synchronize_execution_providers", "1");
      return new BoundGraph(session, run, memory, settings.profile().isPresent());
    } finally {
      ort.release(Kind.SESSION_OPTIONS, options);
    }
  }

  private static void useCuda(
      OrtCalls ort,
      MemorySegment options,
      Device.Cuda device,
      WorkQueue queue,
      GraphOptions settings) {
    MemorySegment cuda = ort.cudaOptions();
    try {
      ort.set(cuda, "device_id", Integer.toString(device.index()));
      settings.cuda().settings().forEach((key, value) -> ort.set(cuda, key, value));
      ort.setStream(cuda, queue.handle());
      ort.append(options, cuda);
    } finally {
      ort.release(Kind.CUDA_OPTIONS, cuda);
    }
  }

  /** The inputs' names and types; empty for a type that nothing here feeds. */
  public Map<String, Optional<Element>> inputs() {
    return inputs;
  }

  /** The outputs' names. */
  public Set<String> outputs() {
    return outputs;
  }

  /** All inputs and the wanted outputs of a run, each in its place, for any number of runs. */
  public final class Binding implements AutoCloseable {
    private final MemorySegment binding;
    private final List<MemorySegment> values = new ArrayList<>();

    private Binding() {
      binding = ort.binding(session);
    }

    private MemorySegment value(Place place) {
      MemorySegment value =
          ort.tensor(memory, place.buffer(), place.shape(), place.element().number());
      values.add(value);
      return value;
    }

    /** Gives its work to the queue; outputs are there when the queue has done it. */
    public void run() {
      ort.run(session, runOptions, binding);
    }

    @Override
    public void close() {
      ort.release(Kind.BINDING, binding);
      values.forEach(value -> ort.release(Kind.VALUE, value));
    }
  }

  /**
   * Binds the graph to places.
   *
   * @throws GraphException if it has other inputs or outputs
   */
  public Binding bind(List<Place> in, List<Place> out) {
    Binding made = new Binding();
    boolean done = false;
    try {
      in.forEach(place -> ort.bindInput(made.binding, place.name(), made.value(place)));
      out.forEach(place -> ort.bindOutput(made.binding, place.name(), made.value(place)));
      done = true;
      return made;
    } finally {
      if (!done) {
        made.close();
      }
    }
  }

  /**
   * Ends the profile and says in which file it is.
   *
   * @throws IllegalStateException if it was loaded without
   */
  public Path profile() {
    if (!profiled) {
      throw new IllegalStateException("the graph was loaded without a profile");
    }
    return Path.of(ort.endProfiling(session));
  }

  @Override
  public void close() {
    ort.release(Kind.MEMORY_INFO, memory);
    ort.release(Kind.RUN_OPTIONS, runOptions);
    ort.release(Kind.SESSION, session);
  }
}
