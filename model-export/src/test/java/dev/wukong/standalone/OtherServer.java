package dev.wukong.standalone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.data.Hash;
import dev.wukong.runtime.OnnxRuntime;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A server that has nothing but the two files of a self-contained export: it maps the raw text of a
 * CSV file by the JSON and runs the graph.
 */
final class OtherServer implements AutoCloseable {
  private final JsonNode json;
  private final OrtSession session;

  OtherServer(StandaloneExport.Written written) throws IOException, OrtException {
    json = JsonMapper.builder().build().readTree(Files.readString(written.ids()));
    session = OnnxRuntime.environment().createSession(written.model().toString());
  }

  JsonNode json() {
    return json;
  }

  OrtSession session() {
    return session;
  }

  /** Probabilities [rows, tasks] of all rows of a CSV file, each with its own context. */
  float[][] score(Path csv) throws IOException, OrtException {
    return run(inputs(csv));
  }

  /** The inputs of all rows of a CSV file. */
  Map<String, Object> inputs(Path csv) throws IOException {
    List<String> lines = Files.readAllLines(csv);
    List<String> header = List.of(lines.getFirst().split(",", -1));
    List<Map<String, String>> rows = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      Map<String, String> row = new LinkedHashMap<>();
      for (int i = 0; i < cells.length; i++) {
        row.put(header.get(i), cells[i]);
      }
      rows.add(row);
    }
    Map<String, Object> inputs = new LinkedHashMap<>();
    for (JsonNode input : json.path("inputs")) {
      String name = input.path("name").stringValue();
      inputs.put(
          name,
          switch (name.replaceAll("[.].*", "")) {
            case "ids" -> rows.stream().map(r -> ids(input, r)).toArray(long[][]::new);
            case "weights" -> rows.stream().map(r -> weights(input, r)).toArray(float[][]::new);
            case "dense" -> rows.stream().map(r -> dense(input, r)).toArray(float[][]::new);
            case "context_of" -> {
              int[] own = new int[rows.size()];
              Arrays.setAll(own, i -> i);
              yield own;
            }
            default -> throw new AssertionError(name);
          });
    }
    return inputs;
  }

  float[][] run(Map<String, Object> inputs) throws OrtException {
    Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, Object> input : inputs.entrySet()) {
        tensors.put(
            input.getKey(), OnnxTensor.createTensor(OnnxRuntime.environment(), input.getValue()));
      }
      try (OrtSession.Result result = session.run(tensors)) {
        return (float[][]) result.get("probabilities").orElseThrow().getValue();
      }
    } finally {
      tensors.values().forEach(OnnxTensor::close);
    }
  }

  private static List<String> cells(JsonNode input, Map<String, String> row) {
    String cell = Objects.requireNonNull(row.get(input.path("column").stringValue()));
    if (cell.isEmpty()) {
      return List.of();
    }
    int most = input.path("shape").path(1).intValue();
    List<String> all = List.of(cell.split("\\|", -1));
    return all.subList(Math.max(0, all.size() - most), all.size());
  }

  private long[] ids(JsonNode input, Map<String, String> row) {
    JsonNode positions = json.path("positions");
    long[] ids = new long[input.path("shape").path(1).intValue()];
    Arrays.fill(ids, positions.path("padding").intValue());
    List<String> values = cells(input, row);
    if (values.isEmpty() && ids.length == 1) {
      ids[0] = positions.path("missing").intValue();
    }
    for (int i = 0; i < values.size(); i++) {
      JsonNode space = json.path("id_spaces").path(input.path("id_space").stringValue());
      ids[i] = position(space, values.get(i));
    }
    return ids;
  }

  private int position(JsonNode space, String value) {
    JsonNode positions = json.path("positions");
    int first = positions.path("first").intValue();
    return switch (space.path("ids").stringValue()) {
      case "vocabulary" -> {
        int place = place(space.path("values"), value);
        yield place < 0 ? positions.path("unseen").intValue() : first + place;
      }
      case "hash" -> {
        long hash =
            space.path("type").stringValue().equals("int64")
                ? Hash.of(Long.parseLong(value))
                : Hash.of(
                    MemorySegment.ofArray(value.getBytes(StandardCharsets.UTF_8)),
                    0,
                    value.length());
        long remainder = Long.remainderUnsigned(hash, space.path("modulus").longValue());
        int place = place(space.path("remainders"), Long.toString(remainder));
        yield place < 0 ? positions.path("unknown").intValue() : first + place;
      }
      case "buckets" -> {
        int below = 0;
        for (JsonNode boundary : space.path("boundaries")) {
          below += boundary.doubleValue() <= Double.parseDouble(value) ? 1 : 0;
        }
        yield first + below;
      }
      default -> throw new AssertionError(space);
    };
  }

  private static int place(JsonNode list, String value) {
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i).asString().equals(value)) {
        return i;
      }
    }
    return -1;
  }

  private static float[] weights(JsonNode input, Map<String, String> row) {
    float[] weights = new float[input.path("shape").path(1).intValue()];
    List<String> values = cells(input, row);
    for (int i = 0; i < values.size(); i++) {
      weights[i] = Float.parseFloat(values.get(i));
    }
    return weights;
  }

  private static float[] dense(JsonNode input, Map<String, String> row) {
    float[] dense = new float[input.path("shape").path(1).intValue()];
    for (JsonNode number : input.path("numbers")) {
      String cell = Objects.requireNonNull(row.get(number.path("column").stringValue()));
      if (!cell.isEmpty()) {
        String[] values = cell.split("\\|", -1);
        for (int i = 0; i < values.length; i++) {
          dense[number.path("start").intValue() + i] = Float.parseFloat(values[i]);
        }
        if (number.has("presence")) {
          dense[number.path("presence").intValue()] = 1;
        }
      }
    }
    return dense;
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
