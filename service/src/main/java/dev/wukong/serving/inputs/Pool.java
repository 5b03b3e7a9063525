package dev.wukong.serving.inputs;

import java.util.ArrayDeque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Things that are used again and that nobody uses now, a bounded number of them. The last one given
 * back is taken first, as its memory is most likely in a cache. Taking and giving back allocate
 * nothing. Any thread; each thing has one user at a time.
 */
public final class Pool<T> implements AutoCloseable {
  private final int most;
  private final Supplier<T> make;
  private final Consumer<T> drop;

  /** Guarded by itself, for a few instructions. Never grows: it has room for all from the start. */
  private final ArrayDeque<T> idle;

  /** Guarded by {@link #idle}. */
  private boolean closed;

  /**
   * An empty pool.
   *
   * @param most things it keeps, 1 or more
   * @param make makes one where none is idle
   * @param drop ends one that is not kept
   */
  public Pool(int most, Supplier<T> make, Consumer<T> drop) {
    if (most < 1) {
      throw new IllegalArgumentException("a pool of %d things; 1 or more".formatted(most));
    }
    this.most = most;
    this.make = make;
    this.drop = drop;
    this.idle = new ArrayDeque<>(most);
  }

  /** An empty pool of things that are left to the collector where they are not kept. */
  public Pool(int most, Supplier<T> make) {
    this(most, make, _ -> {});
  }

  /** A thing for one user, who gives it back. */
  public T take() {
    @Nullable T found;
    synchronized (idle) {
      found = idle.poll();
    }
    return found == null ? make.get() : found;
  }

  /** Takes a thing back; its user must not touch it any more, and gives it back once. */
  public void give(T thing) {
    synchronized (idle) {
      if (!closed && idle.size() < most) {
        idle.push(thing);
        return;
      }
    }
    drop.accept(thing);
  }

  /** Drops what is idle, and from now on whatever comes back. */
  @Override
  public void close() {
    List<T> left;
    synchronized (idle) {
      closed = true;
      left = List.copyOf(idle);
      idle.clear();
    }
    RuntimeException failure = null;
    for (T thing : left) {
      try {
        drop.accept(thing);
      } catch (RuntimeException e) {
        failure = e; // The others are dropped all the same.
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
