package dev.wukong.serving.joining;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes a value of the join's state: first which form it has. One thread. */
final class ValueWriter {
  private byte[] bytes = new byte[64];
  private int size;

  ValueWriter(int form) {
    put(form);
  }

  private void put(int value) {
    if (size == bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * size);
    }
    bytes[size++] = (byte) value;
  }

  /** Eight bytes. */
  void fixed(long value) {
    for (int shift = Long.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
      put((int) (value >>> shift));
    }
  }

  /** The fewer bytes the nearer to 0. */
  void number(long value) {
    long left = (value << 1) ^ (value >> 63);
    while ((left & ~0x7FL) != 0) {
      put((int) (left & 0x7F) | 0x80);
      left >>>= 7;
    }
    put((int) left);
  }

  void fraction(double value) {
    fixed(Double.doubleToRawLongBits(value));
  }

  void text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    number(utf8.length);
    for (byte b : utf8) {
      put(b);
    }
  }

  void numbers(long[] values) {
    number(values.length);
    for (int i = 0; i < values.length; i++) {
      number(values[i]);
    }
  }

  void floats(float... values) {
    number(values.length);
    for (int i = 0; i < values.length; i++) {
      int bits = Float.floatToRawIntBits(values[i]);
      for (int shift = Integer.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
        put(bits >>> shift);
      }
    }
  }

  byte[] bytes() {
    return Arrays.copyOf(bytes, size);
  }
}
