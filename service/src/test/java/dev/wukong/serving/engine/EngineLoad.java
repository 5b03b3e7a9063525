package dev.wukong.serving.engine;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.GraphInput;
import dev.wukong.bundle.GraphInputs;
import dev.wukong.bundle.Precision;
import dev.wukong.data.InputLayout;
import dev.wukong.figures.LoadModel;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.engine.EngineOptions.Gpu;
import dev.wukong.serving.inputs.HostMemory;
import dev.wukong.serving.inputs.HostTensor;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** A model's engine on a device, and batches for it, for benchmarks. */
record EngineLoad(
    LoadModel model,
    Device device,
    Accelerator accelerator,
    InputLayout layout,
    List<GraphInput> inputs,
    Precision precision) {
  /** Distinct rows that a candidate brings. */
  private static final int ROWS = 4;

  /** Candidates of a request: so many share a context. */
  private static final int REQUEST = 512;

  static final int TASKS = 1;

  /**
   * For the device and the model that the options {@code device} and {@code model} name.
   *
   * @param usual the model where none is named
   * @throws BenchmarkException where it cannot be used
   */
  static EngineLoad of(BenchmarkContext context, String usual) throws BenchmarkException {
    String chosen = context.options().getOrDefault("model", usual);
    String name = context.options().getOrDefault("device", "cuda:0");
    try {
      LoadModel model = model(chosen);
      Device device = Device.parse(name);
      Precision precision = Precision.parse(context.options().getOrDefault("precision", "fp16"));
      InputLayout layout = model.config().layout(LoadModel.schema(1000));
      return new EngineLoad(
          model,
          device,
          Accelerator.of(device),
          layout,
          GraphInputs.of(layout, precision),
          precision);
    } catch (IllegalArgumentException e) {
      throw new BenchmarkException(String.valueOf(e.getMessage()));
    } catch (DeviceException e) {
      throw new BenchmarkException(
          e.getMessage()
              + "; this benchmark is for a GPU, the option device=cpu shows the same code without");
    }
  }

  private static LoadModel model(String name) {
    for (LoadModel model : LoadModel.values()) {
      if (model.title().equals(name)) {
        return model;
      }
    }
    throw new IllegalArgumentException(
        "option 'model' is '%s', want one of %s"
            .formatted(name, Stream.of(LoadModel.values()).map(LoadModel::title).toList()));
  }

  /** Writes the model's bundle to {@code bundles} and gives its graph of this precision. */
  byte[] graph(Path bundles, long rows) throws IOException {
    try (Bundle bundle = Bundle.open(model.write(bundles, 1, rows, true))) {
      return bundle.graph(precision.file());
    }
  }

  /** What figures of the device are called: those of a CPU are others. */
  String suffix() {
    return switch (device) {
      case Device.Cpu() -> "_cpu";
      case Device.Cuda _ -> "";
    };
  }

  /** A target, which only a GPU has. */
  String target(String ofGpu) {
    return device instanceof Device.Cpu ? "-" : ofGpu;
  }

  /** An engine of {@code graph}, a file of this precision. */
  BoundEngine engine(byte[] graph, int maxRows, int streams, boolean recordings)
      throws BenchmarkException {
    try {
      EngineOptions options =
          new EngineOptions(
              List.of(device),
              1,
              true,
              precision,
              new Gpu(Gpu.DEFAULT.cuda(), streams, recordings));
      return BoundEngine.load(
          precision.on(device, graph),
          inputs,
          TASKS,
          options,
          List.of(accelerator),
          new ShapeBook(maxRows, layout.schema().hasContext()));
    } catch (dev.wukong.bundle.BundleException e) {
      throw new BenchmarkException(String.valueOf(e.getMessage()));
    }
  }

  /** A batch of its own, in memory that the device copies from. */
  Batch batch(int candidates, long seed) {
    BatchShape shape = new BatchShape(candidates, (candidates + REQUEST - 1) / REQUEST);
    HostMemory memory = new PageLocked(accelerator);
    SplittableRandom random = new SplittableRandom(seed);
    List<HostMemory.Block> blocks = new ArrayList<>();
    List<HostTensor> in = new ArrayList<>();
    int rows = 1 + ROWS * candidates;
    for (GraphInput input : inputs) {
      int length =
          input.axis() == GraphInput.Axis.ROWS
              ? Math.min(rows, input.length(shape))
              : input.length(shape);
      int bound =
          GraphInputs.named(
              input, inputs, shape.contexts(), other -> Math.min(rows, other.length(shape)));
      HostMemory.Block block = memory.allocate(length * input.rowBytes());
      input.fill(block.segment(), length, bound, random);
      blocks.add(block);
      in.add(tensor(input.name(), input.type(), block, input.shape(length)));
    }
    List<HostTensor> out = new ArrayList<>();
    for (String name : GraphInputs.OUTPUTS) {
      HostMemory.Block block = memory.allocate((long) candidates * TASKS * Float.BYTES);
      blocks.add(block);
      out.add(tensor(name, Element.FLOAT32, block, new long[] {candidates, TASKS}));
    }
    return new Batch(candidates, in, out, blocks);
  }

  private static HostTensor tensor(
      String name, Element type, HostMemory.Block block, long[] shape) {
    return new HostTensor(
        name, type, block.segment().asByteBuffer().order(ByteOrder.nativeOrder()), shape);
  }

  /** What one caller runs again and again. */
  record Batch(
      int candidates, List<HostTensor> in, List<HostTensor> out, List<HostMemory.Block> blocks)
      implements AutoCloseable {
    /** Bytes that it has copied to the device and from there. */
    long bytes() {
      return Stream.concat(in.stream(), out.stream())
          .mapToLong(tensor -> tensor.bytes().capacity())
          .sum();
    }

    void run(Engine engine) {
      engine.run(in, out);
    }

    @Override
    public void close() {
      blocks.forEach(block -> block.free().run());
    }
  }
}
