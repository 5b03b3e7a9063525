package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Reads what {@link EventBytes} wrote, and trusts none of it: no array is made for more than the
 * bytes that are left can hold. One thread.
 */
final class EventCursor {
  private final long position;
  private final byte[] bytes;
  private int at;

  /**
   * Begins with the byte at {@code at}.
   *
   * @param position of the event in the log, for messages
   */
  EventCursor(long position, byte[] bytes, int at) {
    this.position = position;
    this.bytes = bytes;
    this.at = at;
  }

  /** Says that the event cannot be read, and why. */
  EventLogException damaged(String reason) {
    return new EventLogException("event %d is damaged: %s".formatted(position, reason), null);
  }

  private int left() {
    return bytes.length - at;
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
    return bytes[take(1, 1)];
  }

  /** The next eight bytes. */
  long fixed() {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(take(1, Long.BYTES));
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
      ids[i] = number() - 1;
    }
    return ids;
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
    ByteBuffer.wrap(bytes, from, at - from)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return values;
  }

  /** One float. */
  float oneFloat() {
    return floats(1)[0];
  }

  /** The next text. */
  String text() {
    int size = count();
    return new String(bytes, take(size, 1), size, StandardCharsets.UTF_8);
  }

  /** Checks that there is nothing more. */
  void end() {
    if (left() > 0) {
      throw damaged(left() + " bytes too many");
    }
  }
}
