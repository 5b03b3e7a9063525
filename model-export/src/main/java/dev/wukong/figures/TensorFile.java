package dev.wukong.figures;

import dev.wukong.bundle.DType;
import dev.wukong.bundle.SafetensorsWriter;
import dev.wukong.bundle.TensorSpec;
import dev.wukong.graph.Shape;
import dev.wukong.graph.TensorData;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Float tensors by name, for another program's eyes. One thread. */
final class TensorFile {
  private final Map<String, TensorData.Floats> tensors = new LinkedHashMap<>();

  /** Adds each of {@code tensors} under {@code prefix} and its name. */
  TensorFile add(String prefix, Map<String, ? extends TensorData> added) {
    added.forEach((name, data) -> tensors.put(prefix + name, floats(name, data)));
    return this;
  }

  /** Adds a vector. */
  TensorFile add(String name, float... values) {
    tensors.put(name, new TensorData.Floats(Shape.of(values.length), values));
    return this;
  }

  private static TensorData.Floats floats(String name, TensorData data) {
    return switch (data) {
      case TensorData.Floats floats -> floats;
      case TensorData.Numbers _ ->
          throw new IllegalArgumentException("'" + name + "' is " + data + ", want floats");
    };
  }

  /** Writes a safetensors file. */
  void write(Path file, Map<String, String> metadata) throws IOException {
    List<TensorSpec> specs = new ArrayList<>();
    tensors.forEach(
        (name, data) -> specs.add(TensorSpec.of(name, DType.F32, data.shape().sizes())));
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            new BufferedOutputStream(Files.newOutputStream(file), 1 << 16), metadata, specs)) {
      for (Map.Entry<String, TensorData.Floats> tensor : tensors.entrySet()) {
        writer.floats(tensor.getKey(), tensor.getValue().values());
      }
    }
  }
}
