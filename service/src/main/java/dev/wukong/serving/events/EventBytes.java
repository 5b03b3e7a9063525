package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes that grow as an event is written to them; little-endian. One thread. */
final class EventBytes {
  /** Of a whole number that has all its bits. */
  private static final int LONGEST = 10;

  /** Ids for which there is room before they are looked at: each would cost as much as itself. */
  private static final int CHUNK = 64;

  /** Of a number that takes eight bytes at most. */
  private static final int SHORT_BITS = 56;

  private byte[] bytes;
  private int length;

  /** With room for so many bytes before it grows. */
  EventBytes(int room) {
    bytes = new byte[room];
  }

  private void ensure(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, Math.addExact(length, more)));
    }
  }

  /** Adds the lowest eight bits. */
  void one(int value) {
    ensure(1);
    bytes[length++] = (byte) value;
  }

  /** Adds eight bytes. */
  void fixed(long value) {
    ensure(Long.BYTES);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length, value);
    length += Long.BYTES;
  }

  /** Adds a number without a sign: seven bits a byte, the lowest first. */
  void number(long value) {
    ensure(LONGEST);
    length = put(bytes, length, value);
  }

  private static int put(byte[] bytes, int at, long value) {
    long left = value;
    int next = at;
    while ((left & ~0x7FL) != 0) {
      bytes[next++] = (byte) (left | 0x80);
      left >>>= 7;
    }
    bytes[next++] = (byte) left;
    return next;
  }

  /** Adds the first {@code count} ids: one more than each, for -1 is none. */
  void ids(long[] ids, int count) {
    for (int from = 0; from < count; from += CHUNK) {
      ensure(CHUNK * LONGEST);
      ByteBuffer to = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      int at = length;
      int end = Math.min(count, from + CHUNK);
      for (int i = from; i < end; i++) {
        long id = ids[i] + 1;
        at = id >>> SHORT_BITS == 0 ? putShort(to, at, id) : put(bytes, at, id);
      }
      length = at;
    }
  }

  /**
   * The same as {@link #put} of a number of up to eight bytes, without a branch: the lengths of ids
   * are random, so no processor could foresee it. Writes eight bytes, of which the next number
   * overwrites those that are too many.
   */
  private static int putShort(ByteBuffer to, int at, long value) {
    // 28 bits to each half, 14 to each quarter, 7 to each byte.
    long spread = (value & 0x00FFFFFFF0000000L) << 4 | (value & 0x000000000FFFFFFFL);
    spread = (spread & 0x0FFFC0000FFFC000L) << 2 | (spread & 0x00003FFF00003FFFL);
    spread = (spread & 0x3F803F803F803F80L) << 1 | (spread & 0x007F007F007F007FL);
    int more = (Long.SIZE - 1 - Long.numberOfLeadingZeros(value | 1)) / 7;
    to.putLong(at, spread | (0x8080808080808080L & ((1L << (more * Byte.SIZE)) - 1)));
    return at + more + 1;
  }

  /** Adds the first {@code count} numbers. */
  void numbers(int[] values, int count) {
    for (int i = 0; i < count; i++) {
      number(Integer.toUnsignedLong(values[i]));
    }
  }

  /** Adds the first {@code count} floats, to the bit. */
  void floats(float[] values, int count) {
    int size = Math.multiplyExact(count, Float.BYTES);
    ensure(size);
    ByteBuffer.wrap(bytes, length, size)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .put(values, 0, count);
    length += size;
  }

  /** Adds one float, to the bit. */
  void one(float value) {
    floats(new float[] {value}, 1);
  }

  /** Adds a text and its length. */
  void text(String text) {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    number(encoded.length);
    ensure(encoded.length);
    System.arraycopy(encoded, 0, bytes, length, encoded.length);
    length += encoded.length;
  }

  /** Adds who said it, last of all; nothing where that is not known. */
  void source(String source) {
    if (!source.isEmpty()) {
      text(source);
    }
  }

  /** What was added; an array of its own. */
  byte[] exact() {
    return Arrays.copyOf(bytes, length);
  }
}
