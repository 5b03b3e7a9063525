package dev.wukong.serving.engine;

import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.GraphInput;
import dev.wukong.bundle.GraphInputs;
import dev.wukong.data.InputLayout;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.serving.inputs.HostMemory;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Makes the engines of one bundle, one for each state of its weights. Any thread. */
public final class Engines {
  /** Opened once a process: a GPU has one context for all. */
  private static final Map<Device, Accelerator> OPEN = new ConcurrentHashMap<>();

  private final EngineOptions options;
  private final List<GraphInput> inputs;
  private final int tasks;
  private final ShapeBook book;

  /**
   * Engines of a bundle.
   *
   * @param maxRows candidates of the largest batch
   */
  public Engines(InputLayout layout, EngineOptions options, int maxRows) {
    this.options = options;
    this.inputs = GraphInputs.of(layout, options.precision());
    this.tasks = layout.schema().tasks().size();
    this.book = new ShapeBook(maxRows, layout.schema().hasContext());
  }

  /**
   * Loads a graph of the bundle's inputs and outputs.
   *
   * @param graph the bytes of an ONNX model
   * @throws dev.wukong.runtime.DeviceException if a device cannot be used
   * @throws EngineException if the graph cannot be loaded or has other inputs or outputs
   */
  public Engine load(byte[] graph) {
    if (!options.onGpu()) {
      return OnnxEngine.load(onProcessors(graph), inputs, options);
    }
    return BoundEngine.load(
        graph,
        inputs,
        tasks,
        options,
        options.devices().stream().map(Engines::open).toList(),
        book);
  }

  private byte[] onProcessors(byte[] graph) {
    try {
      return options.precision().on(new Device.Cpu(), graph);
    } catch (BundleException e) {
      throw new EngineException(String.valueOf(e.getMessage()), e);
    }
  }

  /** Memory for what such engines read and write: page-locked where a GPU copies it. */
  public HostMemory memory() {
    return options.onGpu() ? new PageLocked(open(options.devices().getFirst())) : HostMemory.PLAIN;
  }

  static Accelerator open(Device device) {
    return OPEN.computeIfAbsent(device, Accelerator::of);
  }
}
