package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Reads what {@link EventBytes} wrote, and trusts none of it: no array is made for more than the
 * bytes that are left can hold. One thread.
 */
final class EventCursor {
  /** The bit that says that a number goes on, in each byte. */
  private static final long CONTINUED = 0x8080808080808080L;

  private final long position;
  private final ByteBuffer bytes;
  private int at;

  /**
   * Begins with the byte at {@code at}.
   *
   * @param position of the event in the log, for messages
   */
  EventCursor(long position, ByteBuffer bytes, int at) {
    this.position = position;
    this.bytes = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    this.at = at;
  }

  /** Says that the event cannot be read, and why. */
  EventLogException damaged(String reason) {
    return new EventLogException("event %d is damaged: %s".formatted(position, reason), null);
  }

  private int left() {
    return bytes.limit() - at;
  }

  /** Where {@code count} times {@code size} bytes begin, which are then read. */
  private int take(long count, int size) {
    if (count > left() / size) {
      throw damaged(
          "it should go on for %d times %d bytes, %d are left".formatted(count, size, left()));
    }
    int from = at;
    at += (int) count * size;
    return from;
  }

  /** The next byte. */
  int one() {
    return bytes.get(take(1, 1));
  }

  /** The next eight bytes. */
  long fixed() {
    return bytes.getLong(take(1, Long.BYTES));
  }

  /** The next number. */
  long number() {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      int next = one();
      value |= (next & 0x7FL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw damaged("a number does not end");
  }

  /** The next number, which counts or numbers something. */
  int count() {
    long value = number();
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw damaged("a count is " + Long.toUnsignedString(value));
    }
    return (int) value;
  }

  /** So many ids. */
  long[] ids(long count) {
    long[] ids = new long[atMostLeft(count)];
    for (int i = 0; i < ids.length; i++) {
      long word = left() < Long.BYTES ? -1 : bytes.getLong(at);
      long ends = ~word & CONTINUED; // The last byte of a number is the first that has it not.
      if (ends == 0) {
        ids[i] = number() - 1;
      } else {
        at += Long.numberOfTrailingZeros(ends) / Byte.SIZE + 1;
        ids[i] = gathered(word & (ends ^ (ends - 1))) - 1;
      }
    }
    return ids;
  }

  /**
   * The number whose bytes these are, without a branch: the lengths of ids are random, so no
   * processor could foresee it.
   */
  private static long gathered(long bytes) {
    // 7 bits to each byte, 14 to each quarter, 28 to each half.
    long value = bytes & ~CONTINUED;
    value = (value & 0x7F007F007F007F00L) >>> 1 | (value & 0x007F007F007F007FL);
    value = (value & 0x3FFF00003FFF0000L) >>> 2 | (value & 0x00003FFF00003FFFL);
    return (value & 0x0FFFFFFF00000000L) >>> 4 | (value & 0x000000000FFFFFFFL);
  }

  /** So many numbers. */
  int[] counts(long count) {
    int[] values = new int[atMostLeft(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = count();
    }
    return values;
  }

  /** The count of things of which each has a byte or more. */
  private int atMostLeft(long count) {
    if (count > left()) {
      throw damaged("it should have %d numbers, %d bytes are left".formatted(count, left()));
    }
    return (int) count;
  }

  /** So many floats. */
  float[] floats(long count) {
    int from = take(count, Float.BYTES);
    float[] values = new float[(int) count];
    bytes.slice(from, at - from).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** One float. */
  float oneFloat() {
    return bytes.getFloat(take(1, Float.BYTES));
  }

  /** The next text. */
  String text() {
    int size = count();
    byte[] text = new byte[atMostLeft(size)];
    bytes.get(take(size, 1), text);
    return new String(text, StandardCharsets.UTF_8);
  }

  /** Who said it, where that is said: it is the last of an event, and left out where unknown. */
  String source() {
    return left() == 0 ? "" : text();
  }

  /** Checks that there is nothing more than what was read last. */
  <T> T last(T read) {
    if (left() > 0) {
      throw damaged(left() + " bytes too many");
    }
    return read;
  }
}
