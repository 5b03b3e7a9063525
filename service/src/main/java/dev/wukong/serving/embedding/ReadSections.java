package dev.wukong.serving.embedding;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Tells a writer when nobody can still be reading what it has taken out. A reader enters before it
 * looks anything up and leaves after it has copied; what was taken out during epoch e has no reader
 * left in epoch e + 2. Readers never wait, neither for each other nor for the writer. Any thread
 * may enter; one at a time may advance.
 */
final class ReadSections {
  /*
   * Readers are counted by the parity of the epoch they entered in. The epoch goes from e to e + 1
   * only when those of e - 1 have left, whose count e + 1 then takes over; so in e + 2 those of e,
   * who might have found what was still there in e, have left, too.
   *
   * A reader counts itself before it looks, and the writer looks at the counts after it has taken
   * out, both with full fences: either the writer sees the reader, or the reader sees that the
   * thing is gone.
   */
  private static final int STRIPES =
      Integer.highestOneBit(2 * Math.max(1, Runtime.getRuntime().availableProcessors()) - 1) * 2;

  /** Longs a stripe, so that two do not share a line of the processor's cache. */
  private static final int STRIDE = 16;

  private final AtomicLongArray readers = new AtomicLongArray((STRIPES + 1) * STRIDE);
  private volatile long epoch = 2;

  /** Begins to read. Give the result to {@link #leave}, from any thread. */
  int enter() {
    int stripe = (1 + ((int) Thread.currentThread().threadId() & (STRIPES - 1))) * STRIDE;
    while (true) {
      long now = epoch;
      int place = stripe + (int) (now & 1);
      readers.getAndIncrement(place);
      if (epoch == now) {
        return place;
      }
      readers.getAndDecrement(place);
    }
  }

  /** Ends what {@link #enter} began. */
  void leave(int place) {
    readers.getAndDecrement(place);
  }

  /** The present epoch: what is taken out before this call has no reader left two epochs later. */
  long epoch() {
    return epoch;
  }

  /** Goes to the next epoch, up to two, as far as no reader is in the way; returns the new one. */
  long advance() {
    VarHandle.fullFence();
    for (int step = 0; step < 2; step++) {
      long now = epoch;
      if (anyone((int) ((now + 1) & 1))) {
        return now;
      }
      epoch = now + 1;
    }
    return epoch;
  }

  private boolean anyone(int parity) {
    for (int stripe = 1; stripe <= STRIPES; stripe++) {
      if (readers.get(stripe * STRIDE + parity) != 0) {
        return true;
      }
    }
    return false;
  }
}
