package dev.wukong.serving.joining;

import java.util.ArrayList;
import java.util.List;

/**
 * Candidates that wait for their time since an event: their windows close, and they are forgotten.
 *
 * @param position of the event in the log
 * @param atMs time in the log of the event
 * @param scored position in the log of their prediction
 * @param candidates positions in the request
 */
record Due(long position, long atMs, long scored, List<Integer> candidates) {
  private static final int FORM = 1;

  Due {
    candidates = List.copyOf(candidates);
  }

  byte[] bytes() {
    ValueWriter to = new ValueWriter(FORM);
    to.number(atMs);
    to.number(scored);
    to.number(candidates.size());
    for (int candidate : candidates) {
      to.number(candidate);
    }
    return to.bytes();
  }

  /** What {@link #bytes} made. */
  static Due of(long position, byte[] bytes) {
    ValueReader from = new ValueReader("what waits since " + position, bytes, FORM);
    long atMs = from.number();
    long scored = from.number();
    int count = from.count(1);
    List<Integer> candidates = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      candidates.add(from.index());
    }
    from.end();
    return new Due(position, atMs, scored, candidates);
  }
}
