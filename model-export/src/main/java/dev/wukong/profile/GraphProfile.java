package dev.wukong.profile;

import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.GraphInput;
import dev.wukong.bundle.GraphInputs;
import dev.wukong.bundle.Precision;
import dev.wukong.runtime.CudaOptions;
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
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a predict graph's runs take, whole and by node, with inputs that were made up and lie on the
 * device.
 *
 * @param millis of a run that nothing measures inside, the median
 * @param operators by node, in the order in which they run; their times are medians of runs that
 *     are measured inside, which takes longer
 */
public record GraphProfile(double millis, List<OperatorTime> operators) {
  private static final int WARM = 5;

  /**
   * Measures a graph.
   *
   * @param graph as the device loads it
   * @param runs of each kind
   */
  public static GraphProfile of(
      byte[] graph,
      List<GraphInput> inputs,
      int tasks,
      BatchShape shape,
      Accelerator accelerator,
      GraphOptions options,
      int runs)
      throws IOException {
    double millis;
    try (Prepared plain = new Prepared(graph, inputs, tasks, shape, accelerator, options)) {
      plain.run(WARM);
      millis = plain.median(runs);
    }
    Path folder = Files.createTempDirectory("wukong-profile");
    try (Prepared profiled =
        new Prepared(
            graph, inputs, tasks, shape, accelerator, options.profiled(folder.resolve("run")))) {
      profiled.run(WARM + runs);
      return new GraphProfile(millis, read(profiled.graph.profile(), runs));
    } finally {
      remove(folder);
    }
  }

  /**
   * Milliseconds of a run of a bundle's predict graph on one core, the median.
   *
   * @param runs that are measured
   */
  public static double millis(Bundle bundle, BatchShape shape, int runs) throws IOException {
    Device cpu = new Device.Cpu();
    try (Prepared plain =
        new Prepared(
            Precision.FP32.on(cpu, bundle.graph(Precision.FP32.file())),
            GraphInputs.of(bundle.layout(), Precision.FP32),
            bundle.layout().schema().tasks().size(),
            shape,
            Accelerator.of(cpu),
            new GraphOptions(1, true, CudaOptions.DEFAULT))) {
      plain.run(WARM);
      return plain.median(runs);
    }
  }

  private static void remove(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  /** How often each operator is there, by type, the most frequent first. */
  public Map<String, Integer> counts() {
    Map<String, Integer> counts = new LinkedHashMap<>();
    operators.forEach(o -> counts.merge(o.operator(), 1, Integer::sum));
    return counts;
  }

  /** Reads the last {@code runs} of a profile. */
  private static List<OperatorTime> read(Path file, int runs) throws IOException {
    Map<String, String> types = new LinkedHashMap<>();
    Map<String, List<Double>> times = new LinkedHashMap<>();
    for (JsonNode event : JsonMapper.shared().readTree(Files.readAllBytes(file))) {
      String name = event.path("name").asString("");
      if (event.path("cat").asString("").equals("Node") && name.endsWith("_kernel_time")) {
        String node = name.substring(0, name.length() - "_kernel_time".length());
        types.put(node, event.path("args").path("op_name").asString("?"));
        times.computeIfAbsent(node, _ -> new ArrayList<>()).add(event.path("dur").asDouble());
      }
    }
    List<OperatorTime> result = new ArrayList<>();
    times.forEach(
        (node, all) -> {
          double[] last =
              all.subList(Math.max(0, all.size() - runs), all.size()).stream()
                  .mapToDouble(Double::doubleValue)
                  .toArray();
          result.add(new OperatorTime(node, types.getOrDefault(node, "?"), median(last)));
        });
    return result;
  }

  /** So that a run in which others had the processor says nothing. */
  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** A graph with inputs in their places. */
  private static final class Prepared implements AutoCloseable {
    final BoundGraph graph;
    private final Accelerator accelerator;
    private final WorkQueue queue;
    private final List<DeviceBuffer> buffers = new ArrayList<>();
    private final Binding binding;

    Prepared(
        byte[] model,
        List<GraphInput> inputs,
        int tasks,
        BatchShape shape,
        Accelerator accelerator,
        GraphOptions options) {
      this.accelerator = accelerator;
      queue = accelerator.queue(Priority.HIGH);
      queue.enter();
      graph = BoundGraph.load(model, accelerator.device(), queue, options);
      List<Place> in = new ArrayList<>();
      SplittableRandom random = new SplittableRandom(1);
      for (GraphInput input : inputs) {
        int length = input.length(shape);
        DeviceBuffer buffer = buffer(length * input.rowBytes());
        int named = GraphInputs.named(input, inputs, shape.contexts(), rows -> rows.length(shape));
        MemorySegment host = accelerator.allocateHost(buffer.bytes());
        input.fill(host, length, named, random);
        queue.toDevice(buffer, host, buffer.bytes());
        queue.await();
        accelerator.freeHost(host);
        in.add(new Place(input.name(), input.type(), input.shape(length), buffer));
      }
      List<Place> out = new ArrayList<>();
      long[] dims = {shape.candidates(), tasks};
      for (String name : GraphInputs.OUTPUTS) {
        DeviceBuffer buffer = buffer(Place.bytes(Element.FLOAT32, dims));
        out.add(new Place(name, Element.FLOAT32, dims, buffer));
      }
      binding = graph.bind(in, out);
    }

    private DeviceBuffer buffer(long bytes) {
      DeviceBuffer buffer = accelerator.allocate(bytes);
      buffers.add(buffer);
      return buffer;
    }

    void run(int times) {
      for (int i = 0; i < times; i++) {
        binding.run();
        queue.await();
      }
    }

    double median(int runs) {
      double[] millis = new double[runs];
      for (int i = 0; i < runs; i++) {
        long began = System.nanoTime();
        run(1);
        millis[i] = (System.nanoTime() - began) / 1e6;
      }
      return GraphProfile.median(millis);
    }

    @Override
    public void close() {
      binding.close();
      graph.close();
      buffers.forEach(accelerator::free);
      queue.close();
    }
  }
}
