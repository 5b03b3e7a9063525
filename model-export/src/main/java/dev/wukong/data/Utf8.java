package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Tells bytes that are UTF-8 from others. Stateless; allocates nothing. */
final class Utf8 {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final long HIGH_BITS = 0x8080808080808080L;

  private Utf8() {}

  /**
   * Where the first malformed sequence begins among the {@code length} bytes from {@code from}: its
   * offset from there, or -1 where all is well. Overlong forms, surrogates and what lies above
   * U+10FFFF are malformed.
   */
  static int malformed(MemorySegment bytes, long from, int length) {
    int at = 0;
    while (at < length) {
      // Most strings are ASCII: eight bytes at once.
      if (at + Long.BYTES <= length && (bytes.get(LONG, from + at) & HIGH_BITS) == 0) {
        at += Long.BYTES;
        continue;
      }
      int sequence = sequence(bytes, from + at, length - at);
      if (sequence == 0) {
        return at;
      }
      at += sequence;
    }
    return -1;
  }

  /** The length of the sequence at {@code at}; 0 where it is malformed. */
  private static int sequence(MemorySegment bytes, long at, int left) {
    int first = unsigned(bytes, at);
    if (first < 0x80) {
      return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
      return 0;
    }
    int length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (length > left) {
      return 0;
    }
    // Only the second byte's range depends on the first.
    int second = unsigned(bytes, at + 1);
    int low =
        switch (first) {
          case 0xE0 -> 0xA0;
          case 0xF0 -> 0x90;
          default -> 0x80;
        };
    int high =
        switch (first) {
          case 0xED -> 0x9F;
          case 0xF4 -> 0x8F;
          default -> 0xBF;
        };
    if (second < low || second > high) {
      return 0;
    }
    for (int i = 2; i < length; i++) {
      if ((unsigned(bytes, at + i) & 0xC0) != 0x80) {
        return 0;
      }
    }
    return length;
  }

  private static int unsigned(MemorySegment bytes, long at) {
    return bytes.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
  }
}
