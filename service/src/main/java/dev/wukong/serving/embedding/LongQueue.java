package dev.wukong.serving.embedding;

/** Longs, first in first out; its memory grows as far as it was ever needed. One thread. */
final class LongQueue {
  private long[] ring = new long[64];
  private int head;
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  void add(long value) {
    if (size == ring.length) {
      long[] larger = new long[Math.multiplyExact(ring.length, 2)];
      for (int i = 0; i < size; i++) {
        larger[i] = peek(i);
      }
      ring = larger;
      head = 0;
    }
    ring[(head + size) & (ring.length - 1)] = value;
    size++;
  }

  /** The first, or with {@code i} the i-th after it; it must be there. */
  long peek(int i) {
    return ring[(head + i) & (ring.length - 1)];
  }

  /** Takes the first, which must be there. */
  long remove() {
    long first = ring[head];
    head = (head + 1) & (ring.length - 1);
    size--;
    return first;
  }
}
