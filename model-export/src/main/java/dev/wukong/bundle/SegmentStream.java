package dev.wukong.bundle;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The bytes of a mapped file as a stream, without a copy of the whole. One thread. */
final class SegmentStream extends InputStream {
  private final MemorySegment bytes;
  private long at;

  SegmentStream(MemorySegment bytes) {
    this.bytes = bytes;
  }

  @Override
  public int read() {
    return at == bytes.byteSize() ? -1 : Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, at++));
  }

  @Override
  public int read(byte[] into, int from, int length) {
    int count = (int) Math.min(length, bytes.byteSize() - at);
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, into, from, count);
    at += count;
    return count == 0 && length > 0 ? -1 : count;
  }
}
