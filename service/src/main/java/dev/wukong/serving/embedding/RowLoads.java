package dev.wukong.serving.embedding;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Reads rows of one view from the store, for all requests: a request's rows some at a time, and a
 * row that somebody reads already is waited for instead of read again. Any thread.
 */
final class RowLoads {
  private static final System.Logger log = System.getLogger(RowLoads.class.getName());
  private static final float[] NOTHING = {};

  /** Reads that may be under way or wait for a reader, give or take; more are not begun. */
  private static final int MOST = 1024;

  /** Rows of a read; more are read by several readers at once, as a disk serves one slowly. */
  private static final int PART = 64;

  /** A read that takes longer is a failure of the store. */
  private static final long SLOW_NANOS = Duration.ofMillis(250).toNanos();

  /** Receives what became of each row that was asked for. */
  @FunctionalInterface
  interface Receiver {
    /**
     * Called once a row, on the thread that asked.
     *
     * @param i which of the keys
     * @param rows has the row at {@code offset} if it was found
     */
    void accept(int i, RowFate fate, float[] rows, int offset);
  }

  /** What a read of the store gave: row i at {@code i * width}. */
  @SuppressWarnings("ArrayRecordComponent") // Rows on their way, never compared.
  private record Rows(float[] rows, RowFate[] fates) {}

  /** One read of the store. Empty where the store gave no answer. */
  private static final class Load {
    final CompletableFuture<Optional<Rows>> done = new CompletableFuture<>();
    final long began = System.nanoTime();
    final AtomicBoolean slow = new AtomicBoolean();
  }

  /** Where a row will be. */
  private record Place(Load load, int at) {}

  private final TierView view;
  private final RowReader reader;
  private final RowSource source;
  private final Map<Long, Place> underWay = new ConcurrentHashMap<>();

  RowLoads(TierView view, RowReader reader, RowSource source) {
    this.view = view;
    this.reader = reader;
    this.source = source;
  }

  /**
   * Reads rows, and brings them into memory besides. Waits until {@code until}, a {@link
   * System#nanoTime}; what comes later still comes into memory.
   *
   * @param keys distinct
   */
  void read(ResidentRows resident, long[] keys, long until, Receiver receiver) {
    Place[] places = new Place[keys.length];
    long[] missing = new long[Math.min(keys.length, PART)];
    for (int next = 0; next < keys.length; ) {
      next = startPart(resident, keys, next, missing, places);
    }
    int width = resident.table().width();
    Load load = null;
    Optional<Rows> read = Optional.empty();
    for (int i = 0; i < keys.length; i++) {
      if (places[i].load() != load) { // Once a read, not once a row: most are of the same.
        load = places[i].load();
        read = await(load, until);
      }
      int at = places[i].at();
      if (read.isEmpty()) {
        receiver.accept(i, RowFate.UNREAD, NOTHING, 0);
      } else {
        receiver.accept(i, read.get().fates()[at], read.get().rows(), at * width);
      }
    }
  }

  /**
   * Has the next rows from {@code first} on read together that nobody reads yet; the place of the
   * row after them.
   *
   * @param missing room for their keys
   * @param places receives where each of them will be, or of which read of somebody else's
   */
  private int startPart(
      ResidentRows resident, long[] keys, int first, long[] missing, Place[] places) {
    Load own = new Load();
    int count = 0;
    boolean started = false;
    try {
      int i = first;
      for (; i < keys.length && count < PART; i++) {
        Place mine = new Place(own, count);
        missing[count] = keys[i];
        Place other = underWay.putIfAbsent(keys[i], mine);
        places[i] = other == null ? mine : other;
        count += other == null ? 1 : 0;
      }
      started = count > 0 && start(own, resident, Arrays.copyOf(missing, count));
      return i;
    } finally {
      // Whatever it was, an Error too: nobody else may wait for what nobody reads.
      if (!started) {
        end(own, missing, count, Optional.empty());
      }
    }
  }

  private Optional<Rows> await(Load load, long until) {
    // Not even until the end of patience for what hangs already: others have waited in vain.
    if (!load.done.isDone() && load.slow.get()) {
      return Optional.empty();
    }
    try {
      return load.done.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      // A request in a hurry says nothing of the store; one read that takes so long does.
      if (System.nanoTime() - load.began > SLOW_NANOS) {
        slow(load);
      }
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } catch (ExecutionException e) {
      throw new IllegalStateException("a read never ends exceptionally", e);
    }
  }

  /** Whether a reader will read these. */
  private boolean start(Load load, ResidentRows resident, long[] keys) {
    if (source.reads().get() >= MOST || !source.breaker().allows()) {
      return false;
    }
    source.reads().incrementAndGet();
    view.hold();
    boolean started = false;
    try {
      source.threads().readers().execute(() -> run(load, resident, keys));
      started = true;
    } catch (RejectedExecutionException e) {
      log.log(Level.DEBUG, "no rows are read any more", e); // The process ends.
    } finally {
      if (!started) {
        source.reads().decrementAndGet();
        view.letGo();
      }
    }
    return started;
  }

  private void run(Load load, ResidentRows resident, long[] keys) {
    Optional<Rows> read = Optional.empty();
    boolean kept = false;
    try {
      read = read(load, resident.table(), keys);
    } finally {
      source.reads().decrementAndGet();
      end(load, keys, keys.length, read);
      try {
        kept = read.isPresent() && keep(resident, keys, read.get());
      } finally {
        if (!kept) {
          view.letGo();
        }
      }
    }
  }

  private Optional<Rows> read(Load load, ResidentTable table, long[] keys) {
    int width = table.width();
    try {
      Rows rows =
          new Rows(new float[Math.multiplyExact(keys.length, width)], new RowFate[keys.length]);
      long began = System.nanoTime();
      reader.read(width, keys, keys.length, rows.rows(), rows.fates());
      long took = System.nanoTime() - began;
      source.meters().read(took);
      if (took <= SLOW_NANOS) {
        source.breaker().succeeded();
      } else {
        slow(load);
      }
      // An answer must not depend on where its rows were found.
      table.format().round(rows.rows(), keys.length, width);
      return Optional.of(rows);
    } catch (StoreException e) {
      source.breaker().failed();
      log.log(Level.WARNING, "model ''{0}'': {1}", source.model(), e.getMessage());
      return Optional.empty();
    }
  }

  /** Whether the keeper will bring them in, and then let go of the view. */
  private boolean keep(ResidentRows resident, long[] keys, Rows rows) {
    return source
        .threads()
        .keep(
            keys.length,
            () -> {
              try {
                resident.keep(
                    keys, rows.fates(), rows.rows(), view.version(), view.tier().oldest());
              } finally {
                view.letGo();
              }
            });
  }

  /** Counts a read that takes too long as a failure, once. */
  private void slow(Load load) {
    if (load.slow.compareAndSet(false, true)) {
      source.breaker().failed();
    }
  }

  private void end(Load load, long[] keys, int count, Optional<Rows> read) {
    load.done.complete(read);
    for (int i = 0; i < count; i++) {
      underWay.remove(keys[i], new Place(load, i));
    }
  }
}
