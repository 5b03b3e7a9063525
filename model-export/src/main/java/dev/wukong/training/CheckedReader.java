package dev.wukong.training;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/** Reads what {@link CheckedWriter} wrote, mapped into memory. One thread. */
final class CheckedReader implements AutoCloseable {
  private static final ValueLayout.OfLong HEADER =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final long AT_ONCE = 1 << 30;

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment bytes;
  private long at;

  @SuppressWarnings("MustBeClosedChecker") // The reader closes its arena.
  CheckedReader(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      this.bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (IOException | RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** The file's length in bytes. */
  long length() {
    return bytes.byteSize();
  }

  /** The big-endian number {@code i} of those before the checked part. */
  long header(int i) {
    return bytes.get(HEADER, (long) i * Long.BYTES);
  }

  /**
   * Whether the checksum at the file's end fits what precedes it from byte {@code from} on. Reading
   * then goes on from there.
   */
  boolean intact(long from) {
    at = from;
    long end = length() - Long.BYTES;
    CRC32C checksum = new CRC32C();
    for (long next = from; next < end; next += AT_ONCE) {
      checksum.update(bytes.asSlice(next, Math.min(AT_ONCE, end - next)).asByteBuffer());
    }
    return end >= from && bytes.get(CheckedWriter.LONG, end) == checksum.getValue();
  }

  int integer() {
    int value = bytes.get(CheckedWriter.INT, at);
    at += Integer.BYTES;
    return value;
  }

  long number() {
    long value = bytes.get(CheckedWriter.LONG, at);
    at += Long.BYTES;
    return value;
  }

  double real() {
    double value = bytes.get(CheckedWriter.DOUBLE, at);
    at += Double.BYTES;
    return value;
  }

  /** Fills {@code values} from 0 to its limit. */
  void floats(FloatBuffer values) {
    MemorySegment to = MemorySegment.ofBuffer(values.duplicate().rewind());
    int count = values.limit();
    MemorySegment.copy(
        bytes, CheckedWriter.FLOAT, at, to, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, count);
    at += (long) count * Float.BYTES;
  }

  void floats(float[] values) {
    MemorySegment.copy(bytes, CheckedWriter.FLOAT, at, values, 0, values.length);
    at += (long) values.length * Float.BYTES;
  }

  @Override
  public void close() {
    arena.close();
  }
}
