package dev.wukong.serving.cluster;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Bytes that are written one after the other and sent in pieces; little-endian. One thread. */
final class Pieces {
  /** Bytes of a piece: some hundred of them are on their way at once. */
  static final int SIZE = 1 << 19;

  private final ByteBuffer small = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final List<byte[]> full = new ArrayList<>();
  private ByteArrayOutputStream last = new ByteArrayOutputStream();

  void one(int value) {
    small.put(0, (byte) value);
    add(small.array(), 0, 1);
  }

  void number(int value) {
    small.putInt(0, value);
    add(small.array(), 0, Integer.BYTES);
  }

  void number(long value) {
    small.putLong(0, value);
    add(small.array(), 0, Long.BYTES);
  }

  /** Adds a text, and its length. */
  void text(String text) {
    bytes(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Adds bytes, and how many. */
  void bytes(byte[] bytes) {
    bytes(bytes, 0);
  }

  /** The same of those from {@code from} on. */
  void bytes(byte[] bytes, int from) {
    number(bytes.length - from);
    add(bytes, from, bytes.length - from);
  }

  void numbers(long[] values) {
    ByteBuffer room =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Long.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    room.asLongBuffer().put(values);
    add(room.array(), 0, room.capacity());
  }

  void floats(float[] values) {
    ByteBuffer room =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    room.asFloatBuffer().put(values);
    add(room.array(), 0, room.capacity());
  }

  private void add(byte[] bytes, int from, int count) {
    int at = from;
    int left = count;
    while (left > 0) {
      int part = Math.min(left, SIZE - last.size());
      last.write(bytes, at, part);
      at += part;
      left -= part;
      if (last.size() == SIZE) {
        full.add(last.toByteArray());
        last = new ByteArrayOutputStream();
      }
    }
  }

  /** All pieces; none where nothing was added. */
  List<byte[]> all() {
    List<byte[]> all = new ArrayList<>(full);
    if (last.size() > 0) {
      all.add(last.toByteArray());
    }
    return all;
  }
}
