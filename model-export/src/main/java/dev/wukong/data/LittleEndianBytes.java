package dev.wukong.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A growing run of little-endian numbers and bytes. Not thread-safe. */
final class LittleEndianBytes {
  private ByteBuffer bytes = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);

  private ByteBuffer room(int needed) {
    if (bytes.remaining() < needed) {
      int capacity = Math.max(Math.addExact(bytes.position(), needed), bytes.capacity() * 2);
      bytes = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN).put(bytes.flip());
    }
    return bytes;
  }

  void addInt(int value) {
    room(Integer.BYTES).putInt(value);
  }

  void addLong(long value) {
    room(Long.BYTES).putLong(value);
  }

  void addFloat(float value) {
    room(Float.BYTES).putFloat(value);
  }

  void addDouble(double value) {
    room(Double.BYTES).putDouble(value);
  }

  void addBytes(byte[] added) {
    room(added.length).put(added);
  }

  void addAll(LittleEndianBytes other) {
    room(other.bytes.position()).put(other.bytes.duplicate().flip());
  }

  void clear() {
    bytes.clear();
  }

  /** A copy of what was added. */
  ByteBuffer toBuffer() {
    ByteBuffer copy = ByteBuffer.allocate(bytes.position()).put(bytes.duplicate().flip());
    return copy.flip();
  }
}
