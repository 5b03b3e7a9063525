package dev.wukong.serving.figures;

import com.google.protobuf.ByteString;
import dev.wukong.data.IdFeature;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.ValueType;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One input tensor as a caller of the Open Inference Protocol makes it, from what the protocol file
 * and the schema say and with nothing of the server's code.
 *
 * @param width values a row
 * @param values [rows, width], row-major: Long, Integer, Float, Double, Boolean or String
 */
record ClientTensor(String name, Scope scope, String datatype, int width, List<Object> values) {
  ClientTensor {
    values = List.copyOf(values);
  }

  /** The first dimension. */
  int rows() {
    return values.size() / width;
  }

  /** The values of one row. */
  List<Object> row(int row) {
    return values.subList(row * width, (row + 1) * width);
  }

  /**
   * All tensors of a request.
   *
   * @param context raw values by column
   * @param candidates raw values by column, one map a candidate
   */
  static List<ClientTensor> of(
      Schema schema, Map<String, ?> context, List<? extends Map<String, ?>> candidates) {
    List<ClientTensor> tensors = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      List<? extends Map<String, ?>> rows = scope == Scope.CONTEXT ? List.of(context) : candidates;
      for (IdFeature feature : schema.ids(scope)) {
        ids(feature, rows, tensors);
      }
      for (NumberFeature feature : schema.numbers(scope)) {
        Column column = new Column(rows, feature.column());
        tensors.add(
            column.padded(name(scope, feature.name()), scope, "FP32", feature.width(), 0.0f));
        if (feature.optional()) {
          tensors.add(column.present(name(scope, feature.name()), scope));
        }
      }
    }
    return tensors;
  }

  private static void ids(
      IdFeature feature, List<? extends Map<String, ?>> rows, List<ClientTensor> tensors) {
    Scope scope = feature.scope();
    String name = name(scope, feature.name());
    Column column = new Column(rows, feature.column());
    boolean text = feature.type() == ValueType.STRING;
    String datatype = feature.bucketed() ? "FP64" : text ? "BYTES" : "INT64";
    Object none = feature.bucketed() ? (Object) 0.0 : text ? "" : (Object) 0L;
    tensors.add(column.padded(name, scope, datatype, feature.maxIds(), none));
    tensors.add(feature.multiValued() ? column.counts(name, scope) : column.present(name, scope));
    feature
        .weightColumn()
        .ifPresent(
            weights ->
                tensors.add(
                    new Column(rows, weights)
                        .padded(name + ".weights", scope, "FP32", feature.maxIds(), 0.0f)));
  }

  private static String name(Scope scope, String feature) {
    return scope.name().toLowerCase(Locale.ROOT) + "." + feature;
  }

  /** The values of one column of a request's rows. */
  private record Column(List<? extends Map<String, ?>> rows, String name) {
    private List<Object> cell(Map<String, ?> row) {
      Object value = row.get(name);
      return value == null
          ? List.of()
          : value instanceof List<?> several ? List.copyOf(several) : List.of(value);
    }

    ClientTensor padded(String tensor, Scope scope, String datatype, int width, Object none) {
      List<Object> values = new ArrayList<>();
      for (Map<String, ?> row : rows) {
        List<Object> cell = cell(row);
        cell.forEach(value -> values.add(typed(datatype, value)));
        values.addAll(Collections.nCopies(width - cell.size(), none));
      }
      return new ClientTensor(tensor, scope, datatype, width, values);
    }

    ClientTensor counts(String tensor, Scope scope) {
      List<Object> counts = new ArrayList<>();
      rows.forEach(row -> counts.add(cell(row).size()));
      return new ClientTensor(tensor + ".count", scope, "INT32", 1, counts);
    }

    ClientTensor present(String tensor, Scope scope) {
      List<Object> present = new ArrayList<>();
      rows.forEach(row -> present.add(!cell(row).isEmpty()));
      return new ClientTensor(tensor + ".present", scope, "BOOL", 1, present);
    }
  }

  private static Object typed(String datatype, Object value) {
    return switch (datatype) {
      case "INT64" -> (Object) ((Number) value).longValue();
      case "FP32" -> ((Number) value).floatValue();
      case "FP64" -> ((Number) value).doubleValue();
      default -> value.toString();
    };
  }

  /** Raw contents: little-endian, each string after its length. */
  ByteString raw() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    values.forEach(value -> bytes.writeBytes(raw(value)));
    return ByteString.copyFrom(bytes.toByteArray());
  }

  private static byte[] raw(@Nullable Object value) {
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    switch (value) {
      case Long number -> bytes.putLong(number);
      case Integer number -> bytes.putInt(number);
      case Float number -> bytes.putFloat(number);
      case Double number -> bytes.putDouble(number);
      case Boolean flag -> bytes.put((byte) (flag ? 1 : 0));
      case String text -> {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(4 + utf8.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(utf8.length)
            .put(utf8)
            .array();
      }
      case null, default -> throw new IllegalArgumentException("no value of a tensor: " + value);
    }
    byte[] used = new byte[bytes.position()];
    bytes.flip().get(used);
    return used;
  }
}
