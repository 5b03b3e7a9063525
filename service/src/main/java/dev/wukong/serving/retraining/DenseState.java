package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Dense weights and what their optimizer keeps, as they are at rest: a piece a tensor, its name
 * with its length before it (16 bits), then float32; little-endian.
 */
final class DenseState {
  private DenseState() {}

  /** Changes that put all of {@code tensors}. */
  static List<StateChange> put(Map<String, float[]> tensors) {
    List<StateChange> changes = new ArrayList<>(tensors.size());
    for (byte[] piece : pieces(tensors)) {
      changes.add(new StateChange.Put(StateKind.DENSE, changes.size(), piece));
    }
    return changes;
  }

  /** Each of {@code tensors} at rest. */
  static List<byte[]> pieces(Map<String, float[]> tensors) {
    List<byte[]> pieces = new ArrayList<>(tensors.size());
    tensors.forEach((name, values) -> pieces.add(bytes(name, values)));
    return pieces;
  }

  private static byte[] bytes(String name, float[] values) {
    byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
    int floats = Math.multiplyExact(values.length, Float.BYTES);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.addExact(Short.BYTES + utf8.length, floats))
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort((short) utf8.length)
            .put(utf8);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  /** The tensors that were put last; none where none were. */
  static Map<String, float[]> read(StateStore store, RowsView view) {
    Map<String, float[]> tensors = new LinkedHashMap<>();
    store.forEachState(view, StateKind.DENSE, (_, value) -> read(value, tensors));
    return tensors;
  }

  /**
   * The tensors in {@code pieces}.
   *
   * @throws IllegalStateException where one is missing
   */
  static Map<String, float[]> read(List<byte @Nullable []> pieces) {
    Map<String, float[]> tensors = new LinkedHashMap<>();
    for (byte[] piece : pieces) {
      if (piece == null) {
        throw new IllegalStateException("a piece of a healthy state's dense weights is missing");
      }
      read(piece, tensors);
    }
    return tensors;
  }

  private static void read(byte[] piece, Map<String, float[]> to) {
    ByteBuffer bytes = ByteBuffer.wrap(piece).order(ByteOrder.LITTLE_ENDIAN);
    byte[] name = new byte[Short.toUnsignedInt(bytes.getShort())];
    bytes.get(name);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    to.put(new String(name, StandardCharsets.UTF_8), values);
  }
}
