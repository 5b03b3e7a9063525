package dev.wukong.serving.joining;

import java.nio.charset.StandardCharsets;

/**
 * Reads what {@link ValueWriter} wrote; anything else is an {@link IllegalStateException}. One
 * thread.
 */
final class ValueReader {
  private final String what;
  private final byte[] bytes;
  private int at;

  /**
   * Begins to read.
   *
   * @param what it is, for messages
   * @param form that it must have
   */
  ValueReader(String what, byte[] bytes, int form) {
    this.what = what;
    this.bytes = bytes;
    if (next() != form) {
      throw damaged("form %d, must be %d".formatted(bytes[0], form));
    }
  }

  /** Says what is wrong with it. */
  IllegalStateException damaged(String why) {
    return new IllegalStateException("%s is damaged: %s".formatted(what, why));
  }

  private int next() {
    if (at == bytes.length) {
      throw damaged("it ends after %d bytes".formatted(at));
    }
    return Byte.toUnsignedInt(bytes[at++]);
  }

  long fixed() {
    long value = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      value = (value << Byte.SIZE) | next();
    }
    return value;
  }

  long number() {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      int b = next();
      value |= (long) (b & 0x7F) << shift;
      if (b < 0x80) {
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw damaged("a number of more than 64 bits at %d".formatted(at));
  }

  /** A number that is an int and not negative. */
  int index() {
    long value = number();
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw damaged("%d at %d, must be 0 to %d".formatted(value, at, Integer.MAX_VALUE));
    }
    return (int) value;
  }

  /** How many things follow that take at least {@code least} bytes each. */
  int count(int least) {
    int count = index();
    if (count > (bytes.length - at) / least) {
      throw damaged("%d things at %d, with %d bytes left".formatted(count, at, bytes.length - at));
    }
    return count;
  }

  double fraction() {
    return Double.longBitsToDouble(fixed());
  }

  String text() {
    int length = count(1);
    String text = new String(bytes, at, length, StandardCharsets.UTF_8);
    at += length;
    return text;
  }

  long[] numbers() {
    long[] values = new long[count(1)];
    for (int i = 0; i < values.length; i++) {
      values[i] = number();
    }
    return values;
  }

  float[] floats() {
    float[] values = new float[count(Float.BYTES)];
    for (int i = 0; i < values.length; i++) {
      int bits = 0;
      for (int b = 0; b < Float.BYTES; b++) {
        bits = (bits << Byte.SIZE) | next();
      }
      values[i] = Float.intBitsToFloat(bits);
    }
    return values;
  }

  /** Nothing may follow. */
  void end() {
    if (at != bytes.length) {
      throw damaged("%d bytes more than it needs".formatted(bytes.length - at));
    }
  }
}
