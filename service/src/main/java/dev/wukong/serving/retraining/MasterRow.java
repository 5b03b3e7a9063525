package dev.wukong.serving.retraining;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A row as training keeps it, in single precision whatever the rows that serve are kept in, and
 * what its optimizer keeps: float32 little-endian, side by side. No bytes at all: the row is no
 * more, whatever the bundle has.
 */
final class MasterRow {
  /** At rest, of a row that is no more. */
  static final byte[] REMOVED = {};

  private MasterRow() {}

  /** The bytes of row {@code i} of those side by side in {@code rows}, with its state. */
  static byte[] bytes(float[] rows, int width, float[] states, int stateWidth, int i) {
    ByteBuffer bytes =
        ByteBuffer.allocate((width + stateWidth) * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(rows, i * width, width).put(states, i * stateWidth, stateWidth);
    return bytes.array();
  }

  /**
   * Reads both.
   *
   * @throws IllegalStateException where these are not the bytes of a row and state of such widths
   */
  static void read(byte[] bytes, float[] row, float[] state) {
    if (bytes.length != (row.length + state.length) * Float.BYTES) {
      throw new IllegalStateException(
          "a trained row has %d bytes, want %d floats and %d of its optimizer"
              .formatted(bytes.length, row.length, state.length));
    }
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(row).get(state);
  }
}
