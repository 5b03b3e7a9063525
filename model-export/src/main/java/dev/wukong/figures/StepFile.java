package dev.wukong.figures;

import dev.wukong.bundle.DType;
import dev.wukong.bundle.SafetensorsWriter;
import dev.wukong.bundle.TensorSpec;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Scope;
import dev.wukong.graph.TensorData;
import dev.wukong.training.SessionRows;
import dev.wukong.training.TrainSession;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The start of a training for another implementation: weights, the rows that any batch looks up,
 * and for each batch its distinct rows and which of them every position takes.
 */
final class StepFile {
  private StepFile() {}

  /** One batch: distinct rows [U] of the table, and the place of each position [B, F] in them. */
  private record Lookup(long[] rows, long[] index) {}

  static void write(Path file, StepSize size, TrainSession session, List<EncodedExamples> batches)
      throws IOException {
    int width = session.layout().groups().getFirst().width();
    Map<Long, Integer> table = new LinkedHashMap<>();
    List<float[]> rows = new ArrayList<>();
    List<Lookup> lookups = new ArrayList<>();
    for (EncodedExamples batch : batches) {
      float[] found = SessionRows.lookUp(session, batch, Scope.CANDIDATE, 0);
      Map<Integer, Integer> distinct = new LinkedHashMap<>();
      long[] index = new long[batch.rows() * size.features()];
      for (int i = 0; i < index.length; i++) {
        long key = batch.candidate().ids()[i] * size.features() + i % size.features();
        Integer row = table.get(key);
        if (row == null) {
          row = rows.size();
          table.put(key, row);
          rows.add(Arrays.copyOfRange(found, i * width, (i + 1) * width));
        }
        Integer place = distinct.get(row);
        if (place == null) {
          place = distinct.size();
          distinct.put(row, place);
        }
        index[i] = place;
      }
      long[] own = distinct.keySet().stream().mapToLong(Integer::longValue).toArray();
      lookups.add(new Lookup(own, index));
    }

    Map<String, TensorData> weights = session.snapshot();
    List<TensorSpec> specs = new ArrayList<>();
    weights.forEach(
        (name, data) -> specs.add(TensorSpec.of("w/" + name, DType.F32, data.shape().sizes())));
    specs.add(TensorSpec.of("rows", DType.F32, rows.size(), width));
    for (int b = 0; b < batches.size(); b++) {
      int count = batches.get(b).rows();
      specs.add(TensorSpec.of("rows/" + b, DType.I64, lookups.get(b).rows().length));
      specs.add(TensorSpec.of("index/" + b, DType.I64, count, size.features()));
      specs.add(TensorSpec.of("labels/" + b, DType.F32, count));
      specs.add(TensorSpec.of("weights/" + b, DType.F32, count));
    }
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            new BufferedOutputStream(Files.newOutputStream(file), 1 << 16), Map.of(), specs)) {
      for (Map.Entry<String, TensorData> weight : weights.entrySet()) {
        writer.floats("w/" + weight.getKey(), floats(weight.getValue()));
      }
      for (float[] row : rows) {
        writer.floats("rows", row);
      }
      for (int b = 0; b < batches.size(); b++) {
        writer.longs("rows/" + b, LongBuffer.wrap(lookups.get(b).rows()));
        writer.longs("index/" + b, LongBuffer.wrap(lookups.get(b).index()));
        writer.floats("labels/" + b, batches.get(b).labels());
        writer.floats("weights/" + b, batches.get(b).labelWeights());
      }
    }
  }

  private static float[] floats(TensorData data) {
    return switch (data) {
      case TensorData.Floats(var _, var values) -> values;
      case TensorData.Numbers numbers ->
          throw new IllegalArgumentException(numbers + " is no weight");
    };
  }
}
