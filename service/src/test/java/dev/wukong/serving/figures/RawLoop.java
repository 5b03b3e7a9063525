package dev.wukong.serving.figures;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Scope;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The limit that the service is measured by: nothing but {@code OrtSession.run} on a model's graph,
 * its inputs made once. A process of its own: reads lines {@code ROWS SECONDS}, answers each with
 * microseconds of processor time a row.
 */
final class RawLoop {
  /** Candidates that share a context, as in the requests. */
  private static final int SHARED = 500;

  /** Distinct candidate ids of a request, by and large, as a share of its positions. */
  private static final double DISTINCT = 0.5;

  private RawLoop() {}

  /** Arguments: the bundle's folder, threads of a run. */
  public static void main(String[] arguments) throws IOException, OrtException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    int threads = Integer.parseInt(arguments[1]);
    try (Bundle bundle = Bundle.open(Path.of(arguments[0]));
        OrtSession.SessionOptions options = OnnxRuntime.options(new Device.Cpu(), threads, false);
        OrtSession session =
            OnnxRuntime.environment().createSession(bundle.graph(Precision.FP32.file()), options)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ", -1);
        double micros =
            run(session, bundle.layout(), Integer.parseInt(words[0]), Double.parseDouble(words[1]));
        System.out.println(micros);
        System.out.flush();
      }
    }
  }

  private static double run(OrtSession session, InputLayout layout, int rows, double seconds)
      throws OrtException {
    Map<String, OnnxTensor> inputs = inputs(layout, rows);
    int tasks = layout.schema().tasks().size();
    Map<String, OnnxTensor> outputs = new HashMap<>();
    outputs.put("probabilities", floats(rows, tasks, null));
    outputs.put("logits", floats(rows, tasks, null));
    try {
      session.run(inputs, outputs).close();
      long runs = 0;
      double cpu = cpuSeconds();
      long end = System.nanoTime() + (long) (seconds * 1e9);
      while (System.nanoTime() < end) {
        session.run(inputs, outputs).close();
        runs++;
      }
      return (cpuSeconds() - cpu) / ((double) runs * rows) * 1e6;
    } finally {
      inputs.values().forEach(OnnxTensor::close);
      outputs.values().forEach(OnnxTensor::close);
    }
  }

  private static double cpuSeconds() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime()
        / 1e9;
  }

  private static Map<String, OnnxTensor> inputs(InputLayout layout, int rows) throws OrtException {
    SplittableRandom random = new SplittableRandom(1);
    int contexts = (rows + SHARED - 1) / SHARED;
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (int g = 0; g < layout.groups().size(); g++) {
      Group group = layout.groups().get(g);
      int candidateWidth = layout.slotWidth(Scope.CANDIDATE, g);
      int distinct = 1 + contexts * layout.slotWidth(Scope.CONTEXT, g);
      distinct += (int) (rows * candidateWidth * DISTINCT);
      inputs.put(InputNames.rows(group), floats(distinct, group.width(), random));
      inputs.put(
          InputNames.slots(Scope.CONTEXT, group),
          ints(contexts, layout.slotWidth(Scope.CONTEXT, g), distinct, random));
      inputs.put(
          InputNames.slots(Scope.CANDIDATE, group), ints(rows, candidateWidth, distinct, random));
    }
    ByteBuffer of = buffer(rows);
    for (int i = 0; i < rows; i++) {
      of.putInt(i * Integer.BYTES, i / SHARED);
    }
    inputs.put(
        InputNames.CONTEXT_OF,
        OnnxTensor.createTensor(environment(), of.asIntBuffer(), new long[] {rows}));
    return inputs;
  }

  private static OnnxTensor floats(
      int rows, int width, @org.jspecify.annotations.Nullable SplittableRandom random)
      throws OrtException {
    ByteBuffer bytes = buffer(rows * width);
    if (random != null) {
      for (int i = 0; i < rows * width; i++) {
        bytes.putFloat(i * Float.BYTES, (float) (random.nextDouble() - 0.5));
      }
    }
    return OnnxTensor.createTensor(environment(), bytes.asFloatBuffer(), new long[] {rows, width});
  }

  private static OnnxTensor ints(int rows, int width, int bound, SplittableRandom random)
      throws OrtException {
    ByteBuffer bytes = buffer(rows * width);
    for (int i = 0; i < rows * width; i++) {
      bytes.putInt(i * Integer.BYTES, 1 + random.nextInt(bound - 1));
    }
    return OnnxTensor.createTensor(environment(), bytes.asIntBuffer(), new long[] {rows, width});
  }

  private static ByteBuffer buffer(int elements) {
    return ByteBuffer.allocateDirect(elements * Float.BYTES).order(ByteOrder.nativeOrder());
  }

  private static OrtEnvironment environment() {
    return OnnxRuntime.environment();
  }
}
