package dev.wukong.serving.figures;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.data.UniqueRows;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.HostTensor;
import dev.wukong.serving.inputs.ModelInputs;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The limit that the service is measured by: nothing but {@code OrtSession.run} on a model's graph
 * with the inputs of real requests, all made before. A process of its own: reads lines {@code ROWS
 * SECONDS}, answers each with microseconds of processor time a row.
 */
final class RawLoop {
  /** Distinct requests whose inputs are taken in turn: more than a processor's cache holds. */
  private static final int REQUESTS = 64;

  private final InputLayout layout;
  private final OrtSession session;
  private final List<EncodedRows> contexts = new ArrayList<>();
  private final List<EncodedRows> candidates = new ArrayList<>();

  private RawLoop(
      InputLayout layout,
      FeatureEncoder encoder,
      OrtSession session,
      List<PredictRequest> requests) {
    this.layout = layout;
    this.session = session;
    for (PredictRequest request : requests) {
      EncodingCounts counts = new EncodingCounts();
      contexts.add(encoder.encode(Scope.CONTEXT, LoadRequests.wire(request.getContext()), counts));
      candidates.add(
          encoder.encode(Scope.CANDIDATE, LoadRequests.wire(request.getCandidates()), counts));
    }
  }

  /** Arguments: the bundle's folder, its model, values of a feature, threads of a run. */
  public static void main(String[] arguments) throws IOException, OrtException {
    LoadModel model = LoadModel.valueOf(arguments[1]);
    int values = Integer.parseInt(arguments[2]);
    int threads = Integer.parseInt(arguments[3]);
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (Bundle bundle = Bundle.open(Path.of(arguments[0]));
        OrtSession.SessionOptions options = OnnxRuntime.options(new Device.Cpu(), threads, false);
        OrtSession session =
            OnnxRuntime.environment()
                .createSession(
                    Precision.FP32.on(new Device.Cpu(), bundle.graph(Precision.FP32.file())),
                    options)) {
      RawLoop loop =
          new RawLoop(
              bundle.layout(),
              bundle.encoder(),
              session,
              LoadRequests.of(
                  model,
                  bundle.layout().schema(),
                  REQUESTS,
                  LoadRequests.CANDIDATES,
                  values,
                  Criticality.CRITICALITY_NORMAL));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ", -1);
        System.out.println(loop.run(Integer.parseInt(words[0]), Double.parseDouble(words[1])));
        System.out.flush();
      }
    }
  }

  /** A batch with all that a run takes. */
  private record Batch(
      int rows,
      List<ModelInputs> memory,
      Map<String, OnnxTensor> inputs,
      Map<String, OnnxTensor> outputs) {
    void close() {
      inputs.values().forEach(OnnxTensor::close);
      outputs.values().forEach(OnnxTensor::close);
      memory.forEach(ModelInputs::close);
    }
  }

  private double run(int rows, double seconds) throws OrtException {
    List<Batch> batches = batches(rows);
    try {
      for (Batch batch : batches) {
        session.run(batch.inputs, batch.outputs).close();
      }
      long done = 0;
      int next = 0;
      double cpu = cpuSeconds();
      long end = System.nanoTime() + (long) (seconds * 1e9);
      while (System.nanoTime() < end) {
        Batch batch = batches.get(next);
        session.run(batch.inputs, batch.outputs).close();
        done += batch.rows;
        next = (next + 1) % batches.size();
      }
      return (cpuSeconds() - cpu) / done * 1e6;
    } finally {
      batches.forEach(Batch::close);
    }
  }

  private static double cpuSeconds() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime()
        / 1e9;
  }

  /** All requests in batches of {@code rows}: parts of requests, or several of them joined. */
  private List<Batch> batches(int rows) throws OrtException {
    List<Batch> batches = new ArrayList<>();
    List<ModelInputs> parts = new ArrayList<>();
    int held = 0;
    for (int request = 0; request < candidates.size(); request++) {
      int all = candidates.get(request).rows();
      int count = (all + rows - 1) / rows;
      for (int i = 0; i < count; i++) {
        int from = all * i / count;
        int to = all * (i + 1) / count;
        parts.add(inputs(contexts.get(request), candidates.get(request), from, to));
        held += to - from;
        if (count > 1 || held + all > rows) {
          batches.add(batch(parts));
          parts = new ArrayList<>();
          held = 0;
        }
      }
    }
    if (!parts.isEmpty()) {
      batches.add(batch(parts));
    }
    return batches;
  }

  private ModelInputs inputs(EncodedRows context, EncodedRows candidate, int from, int to) {
    UniqueRows unique = new UniqueRows(layout);
    ModelInputs inputs = new ModelInputs(layout, Element.FLOAT32, _ -> {});
    inputs.begin(1, to - from);
    SplittableRandom random = new SplittableRandom(from);
    for (int g = 0; g < layout.groups().size(); g++) {
      unique.slots(Scope.CONTEXT, g, context, inputs.slots(Scope.CONTEXT, g));
      unique.slots(
          Scope.CANDIDATE, g, candidate, from, to - from, inputs.slots(Scope.CANDIDATE, g));
      int width = layout.groups().get(g).width();
      MemorySegment rows = inputs.rows(g, unique.size(g));
      for (long i = width; i < (unique.size(g) + 1L) * width; i++) {
        rows.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (random.nextDouble() - 0.5));
      }
    }
    return inputs;
  }

  private Batch batch(List<ModelInputs> parts) throws OrtException {
    ModelInputs whole = parts.getFirst();
    List<ModelInputs> memory = parts;
    if (parts.size() > 1) {
      whole = new ModelInputs(layout, Element.FLOAT32, _ -> {});
      whole.join(parts);
      parts.forEach(ModelInputs::close);
      memory = List.of(whole);
    }
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (HostTensor tensor : whole.tensors()) {
      inputs.put(tensor.name(), tensor(tensor));
    }
    int tasks = layout.schema().tasks().size();
    Map<String, OnnxTensor> outputs = new HashMap<>();
    for (String name : List.of("probabilities", "logits")) {
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(whole.candidates() * tasks * Float.BYTES)
              .order(ByteOrder.nativeOrder());
      long[] shape = {whole.candidates(), tasks};
      outputs.put(
          name, OnnxTensor.createTensor(OnnxRuntime.environment(), bytes.asFloatBuffer(), shape));
    }
    return new Batch(whole.candidates(), memory, inputs, outputs);
  }

  private static OnnxTensor tensor(HostTensor tensor) throws OrtException {
    return switch (tensor.type()) {
      case FLOAT32 ->
          OnnxTensor.createTensor(
              OnnxRuntime.environment(), tensor.bytes().asFloatBuffer(), tensor.shape());
      case INT32 ->
          OnnxTensor.createTensor(
              OnnxRuntime.environment(), tensor.bytes().asIntBuffer(), tensor.shape());
      case FLOAT16, BFLOAT16, INT64, BOOL ->
          throw new IllegalStateException("no graph here takes " + tensor.type());
    };
  }
}
