package dev.wukong.training;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;

/**
 * Writes numbers and stretches of floats to a channel, little-endian, from a buffer of a megabyte,
 * and keeps their checksum. One thread.
 */
final class CheckedWriter {
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int BUFFER = 1 << 20;

  private final FileChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
  private final MemorySegment bytes = MemorySegment.ofBuffer(buffer);
  private final CRC32C checksum = new CRC32C();
  private int at;

  CheckedWriter(FileChannel channel) {
    this.channel = channel;
  }

  void integer(int value) throws IOException {
    room(Integer.BYTES);
    bytes.set(INT, at, value);
    at += Integer.BYTES;
  }

  void number(long value) throws IOException {
    room(Long.BYTES);
    bytes.set(LONG, at, value);
    at += Long.BYTES;
  }

  void number(double value) throws IOException {
    room(Double.BYTES);
    bytes.set(DOUBLE, at, value);
    at += Double.BYTES;
  }

  /** All of {@code values}, from 0 to its limit. */
  void floats(FloatBuffer values) throws IOException {
    MemorySegment from = MemorySegment.ofBuffer(values.duplicate().rewind());
    long total = values.limit();
    for (long done = 0; done < total; ) {
      room(Float.BYTES);
      int count = (int) Math.min(total - done, (BUFFER - at) / Float.BYTES);
      MemorySegment.copy(
          from, ValueLayout.JAVA_FLOAT_UNALIGNED, done * Float.BYTES, bytes, FLOAT, at, count);
      at += count * Float.BYTES;
      done += count;
    }
  }

  void floats(float[] values) throws IOException {
    if (values.length * Float.BYTES > BUFFER) {
      floats(FloatBuffer.wrap(values));
      return;
    }
    room(values.length * Float.BYTES);
    MemorySegment.copy(values, 0, bytes, FLOAT, at, values.length);
    at += values.length * Float.BYTES;
  }

  /** Writes out what is held, then the checksum of everything written. */
  void finish() throws IOException {
    flush();
    long sum = checksum.getValue();
    number(sum);
    flush();
  }

  private void room(int count) throws IOException {
    if (BUFFER - at < count) {
      flush();
    }
  }

  private void flush() throws IOException {
    buffer.position(0).limit(at);
    checksum.update(buffer);
    buffer.position(0);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
    at = 0;
  }
}
