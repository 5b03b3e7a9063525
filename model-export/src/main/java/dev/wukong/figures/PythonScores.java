package dev.wukong.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.DType;
import dev.wukong.bundle.SafetensorsWriter;
import dev.wukong.bundle.TensorSpec;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.UniqueRows;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A bundle's probabilities of a data set as ONNX Runtime for Python gives them: the same graph, the
 * same rows, another program. For schemas of candidate id features in one group.
 */
final class PythonScores {
  private PythonScores() {}

  static float[] of(PythonEnvironment python, Bundle bundle, EncodedDataset data, Path parts)
      throws IOException, BenchmarkException {
    InputLayout layout = bundle.layout();
    if (layout.groups().size() != 1
        || layout.positions(Scope.CONTEXT) > 0
        || layout.denseWidth(Scope.CANDIDATE) > 0) {
      throw new BenchmarkException(
          "schema '" + layout.schema().name() + "' has more than candidate ids of one width");
    }
    Path inputs = parts.resolve("python-inputs.safetensors");
    inputs(inputs, bundle, data);
    Path out = parts.resolve("python-probabilities.f32");
    try (WorkerProcess _ =
        WorkerProcess.start(
            "ONNX Runtime for Python",
            List.of(
                python.python().toString(),
                PythonEnvironment.script("predict_onnx.py", parts).toString(),
                bundle.folder().resolve("predict.onnx").toString(),
                inputs.toString(),
                out.toString()),
            Map.of("ORT_DISABLE_TELEMETRY", "1"),
            parts.resolve("python.log"))) {
      FloatBuffer scores =
          ByteBuffer.wrap(Files.readAllBytes(out)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      float[] result = new float[scores.remaining()];
      scores.get(result);
      return result;
    }
  }

  private static void inputs(Path file, Bundle bundle, EncodedDataset data) throws IOException {
    InputLayout layout = bundle.layout();
    int count = Math.toIntExact(data.rows());
    int columns = layout.slotWidth(Scope.CANDIDATE, 0);
    EncodedExamples all = data.range(0, count, data.allocate(count));
    UniqueRows unique = new UniqueRows(layout);
    IntBuffer slots = IntBuffer.allocate(Math.multiplyExact(count, columns));
    unique.slots(Scope.CANDIDATE, 0, all.candidate(), slots);

    int width = layout.groups().getFirst().width();
    int size = unique.size(0) + 1;
    float[] rows = new float[size * width];
    for (int slot = 1; slot < size; slot++) {
      String table = layout.tables().get(RowKey.table(unique.key(0, slot))).name();
      float[] byDefault = bundle.manifest().defaultRows().get(table);
      if (byDefault != null) {
        System.arraycopy(byDefault, 0, rows, slot * width, width);
      }
    }
    for (Table table : layout.tables()) {
      bundle.forEachRow(
          table,
          (id, row) -> {
            int slot = unique.find(0, RowKey.of(table.ordinal(), id));
            if (slot > 0) {
              row.get(row.position(), rows, slot * width, width);
            }
          });
    }
    Group group = layout.groups().getFirst();
    String rowsName = InputNames.rows(group);
    String slotsName = InputNames.slots(Scope.CANDIDATE, group);
    List<TensorSpec> specs =
        List.of(
            TensorSpec.of(rowsName, DType.F32, size, width),
            TensorSpec.of(slotsName, DType.I32, count, columns));
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            new BufferedOutputStream(Files.newOutputStream(file)), Map.of(), specs)) {
      writer.floats(rowsName, rows);
      writer.ints(slotsName, slots.flip());
    }
  }
}
