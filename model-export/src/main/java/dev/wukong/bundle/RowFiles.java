package dev.wukong.bundle;

import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The checked parts of one folder, {@code rows} or {@code state}, by table. */
final class RowFiles {
  private final Map<String, List<Part>> parts = new LinkedHashMap<>();

  private record Part(LongBuffer ids, Map<String, FloatBuffer> values) {}

  /**
   * Checks one part: its tensors and their shapes, that ids ascend over all parts, and that all
   * values are finite. Parts come in the order of their numbers.
   */
  void add(Table table, int number, SafetensorsFile file) throws BundleException {
    List<Part> earlier = parts.computeIfAbsent(table.name(), n -> new ArrayList<>());
    if (earlier.size() != number) {
      throw new BundleException(
          "part %05d of table '%s' is missing".formatted(earlier.size(), table.name()));
    }
    TensorView ids = file.tensor(RowParts.IDS);
    if (ids.spec().type() != DType.I64 || ids.spec().shape().size() != 1) {
      throw new BundleException(
          "tensor 'ids' is %s of shape %s, expected I64 of shape [N]"
              .formatted(ids.spec().type(), ids.spec().shape()));
    }
    long last = -1;
    if (!earlier.isEmpty()) {
      LongBuffer before = earlier.getLast().ids();
      last = before.get(before.limit() - 1);
    }
    checkIds(ids.longs(), last);
    Map<String, FloatBuffer> values = new LinkedHashMap<>();
    for (TensorView tensor : file.tensors()) {
      if (!tensor.spec().name().equals(RowParts.IDS)) {
        values.put(tensor.spec().name(), values(tensor, ids.longs()));
      }
    }
    earlier.add(new Part(ids.longs(), values));
  }

  private static void checkIds(LongBuffer ids, long last) throws BundleException {
    if (!ids.hasRemaining()) {
      throw new BundleException("tensor 'ids' is empty");
    }
    for (int i = 0; i < ids.limit(); i++) {
      long id = ids.get(i);
      if (id <= last || id >= RowKey.ID_LIMIT) {
        throw new BundleException(
            "id %d follows %d, ids must ascend and be from 0 to %d"
                .formatted(id, last, RowKey.ID_LIMIT - 1));
      }
      last = id;
    }
  }

  private static FloatBuffer values(TensorView tensor, LongBuffer ids) throws BundleException {
    List<Long> shape = tensor.spec().shape();
    if (tensor.spec().type() != DType.F32 || shape.size() != 2 || shape.get(0) != ids.limit()) {
      throw new BundleException(
          "tensor '%s' is %s of shape %s, expected F32 of shape [%d, k]"
              .formatted(tensor.spec().name(), tensor.spec().type(), shape, ids.limit()));
    }
    FloatBuffer values = tensor.floats();
    int width = Math.toIntExact(shape.get(1));
    for (int i = 0; i < values.limit(); i++) {
      if (!Float.isFinite(values.get(i))) {
        throw new BundleException(
            "id %d: '%s' holds %s, values must be finite"
                .formatted(ids.get(i / width), tensor.spec().name(), values.get(i)));
      }
    }
    return values;
  }

  /** Checks that the parts of {@code rows} hold exactly {@code rows} of the table's width. */
  void checkRows(Table table, long rows) throws BundleException {
    long found = 0;
    for (Part part : parts.getOrDefault(table.name(), List.of())) {
      FloatBuffer values = part.values().get(RowParts.ROWS);
      if (values == null
          || part.values().size() != 1
          || values.limit() != (long) part.ids().limit() * table.width()) {
        throw new BundleException(
            "a part of table '%s' does not hold 'rows' of width %d alone"
                .formatted(table.name(), table.width()));
      }
      found += part.ids().limit();
    }
    if (found != rows) {
      throw new BundleException(
          "table '%s' has %d rows, the manifest says %d".formatted(table.name(), found, rows));
    }
  }

  /**
   * Copies the values of {@code id}; whether there are some.
   *
   * @param name of the values
   * @param to takes so many as an id has, from its start
   */
  boolean find(Table table, String name, long id, float[] to) {
    for (Part part : parts.getOrDefault(table.name(), List.of())) {
      LongBuffer ids = part.ids();
      if (ids.get(ids.limit() - 1) >= id) {
        FloatBuffer values = part.values().get(name);
        int at = place(ids, id);
        if (at < 0 || values == null) {
          return false;
        }
        int width = values.limit() / ids.limit();
        values.get(at * width, to, 0, width);
        return true;
      }
    }
    return false;
  }

  /** Where {@code id} stands, negative where it does not. */
  private static int place(LongBuffer ids, long id) {
    int low = 0;
    int high = ids.limit() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long found = ids.get(middle);
      if (found == id) {
        return middle;
      }
      if (found < id) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -1;
  }

  void forEachPart(Table table, PartVisitor visitor) {
    for (Part part : parts.getOrDefault(table.name(), List.of())) {
      Map<String, FloatBuffer> values = new LinkedHashMap<>();
      part.values().forEach((name, buffer) -> values.put(name, buffer.duplicate()));
      visitor.part(part.ids().duplicate(), values);
    }
  }

  void forEachRow(Table table, RowVisitor visitor) {
    for (Part part : parts.getOrDefault(table.name(), List.of())) {
      FloatBuffer values = part.values().get(RowParts.ROWS);
      if (values != null) {
        FloatBuffer row = values.duplicate();
        for (int i = 0; i < part.ids().limit(); i++) {
          row.limit((i + 1) * table.width()).position(i * table.width());
          visitor.row(part.ids().get(i), row);
        }
      }
    }
  }
}
