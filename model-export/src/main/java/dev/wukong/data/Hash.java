package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * xxHash64 with seed 0, the published hash of raw values: over the UTF-8 bytes of a string, over
 * the 8 little-endian bytes of an int64. Clients in any language can compute the same.
 */
public final class Hash {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final long PRIME_1 = 0x9E3779B185EBCA87L;
  private static final long PRIME_2 = 0xC2B2AE3D27D4EB4FL;
  private static final long PRIME_3 = 0x165667B19E3779F9L;
  private static final long PRIME_4 = 0x85EBCA77C2B2AE63L;
  private static final long PRIME_5 = 0x27D4EB2F165667C5L;

  private Hash() {}

  /** The hash of the 8 little-endian bytes of {@code value}. */
  public static long of(long value) {
    return avalanche(mix8(PRIME_5 + Long.BYTES, value));
  }

  /** The hash of {@code length} bytes of {@code bytes} from {@code offset}. */
  public static long of(MemorySegment bytes, long offset, int length) {
    long at = offset;
    long end = offset + length;
    long hash;
    if (length >= 32) {
      long a = 0x60EA27EEADC0B5D6L; // PRIME_1 + PRIME_2
      long b = PRIME_2;
      long c = 0;
      long d = 0x61C8864E7A143579L; // -PRIME_1
      for (; at + 32 <= end; at += 32) {
        a = round(a, bytes.get(LONG, at));
        b = round(b, bytes.get(LONG, at + 8));
        c = round(c, bytes.get(LONG, at + 16));
        d = round(d, bytes.get(LONG, at + 24));
      }
      hash =
          Long.rotateLeft(a, 1)
              + Long.rotateLeft(b, 7)
              + Long.rotateLeft(c, 12)
              + Long.rotateLeft(d, 18);
      hash = merge(merge(merge(merge(hash, a), b), c), d);
    } else {
      hash = PRIME_5;
    }
    hash += length;
    for (; at + 8 <= end; at += 8) {
      hash = mix8(hash, bytes.get(LONG, at));
    }
    if (at + 4 <= end) {
      hash ^= Integer.toUnsignedLong(bytes.get(INT, at)) * PRIME_1;
      hash = Long.rotateLeft(hash, 23) * PRIME_2 + PRIME_3;
      at += 4;
    }
    for (; at < end; at++) {
      hash ^= Byte.toUnsignedLong(bytes.get(ValueLayout.JAVA_BYTE, at)) * PRIME_5;
      hash = Long.rotateLeft(hash, 11) * PRIME_1;
    }
    return avalanche(hash);
  }

  /** The hash of all of {@code bytes}. */
  public static long of(byte[] bytes) {
    return of(MemorySegment.ofArray(bytes), 0, bytes.length);
  }

  /** Where a hash, or any other 64 bits of chance, lies in [0, 1). */
  public static double fraction(long bits) {
    return (bits >>> 11) * 0x1p-53;
  }

  private static long round(long lane, long input) {
    return Long.rotateLeft(lane + input * PRIME_2, 31) * PRIME_1;
  }

  private static long merge(long hash, long lane) {
    return (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
  }

  private static long mix8(long hash, long input) {
    return Long.rotateLeft(hash ^ round(0, input), 27) * PRIME_1 + PRIME_4;
  }

  private static long avalanche(long hash) {
    long h = hash ^ (hash >>> 33);
    h *= PRIME_2;
    h ^= h >>> 29;
    h *= PRIME_3;
    return h ^ (h >>> 32);
  }
}
