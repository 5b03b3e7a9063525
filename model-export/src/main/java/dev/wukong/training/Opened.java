package dev.wukong.training;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What was opened, the last first to be closed: so that nothing stays open where a later part, for
 * whatever reason, cannot be. One thread.
 */
final class Opened implements AutoCloseable {
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /** Takes over {@code part}, to be closed with this. */
  <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  /** Everything that was taken over; from now on that closes it, and this does not. */
  Opened moved() {
    Opened all = new Opened();
    all.parts.addAll(parts);
    parts.clear();
    return all;
  }

  /** Closes all parts, though some may fail; the first failure is thrown then. */
  @Override
  public void close() {
    @Nullable IllegalStateException failure = null;
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException(e.getMessage(), e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
