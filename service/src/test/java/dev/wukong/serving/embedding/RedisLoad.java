package dev.wukong.serving.embedding;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.data.InputLayout;
import dev.wukong.data.UniqueRows;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Requests for rows of a tier at a steady rate, each of which is compared with what it must be.
 * They begin with this and end with {@link #close}; figures are for afterwards.
 */
final class RedisLoad implements AutoCloseable {
  private static final int WORKERS = 12;
  private static final long PATIENCE_NANOS = Duration.ofMillis(200).toNanos();

  /** Tenths of a second that are told apart: an hour. */
  private static final int TENTHS = 36_000;

  private static final int MILLIS = 10_000;

  private final InputLayout layout;
  private final TierView tier;
  private final int rows;
  private final int ids;
  private final long rate;
  private final int width;
  private final long began = System.nanoTime();
  private final AtomicLong next = new AtomicLong();
  private final AtomicLongArray positions = new AtomicLongArray(TENTHS);
  private final AtomicLongArray defaults = new AtomicLongArray(TENTHS);
  private final AtomicLongArray tookMillis = new AtomicLongArray(MILLIS);
  private final LongAdder requests = new LongAdder();
  private final LongAdder compared = new LongAdder();
  private final LongAdder wrong = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final AtomicReference<String> firstWrong = new AtomicReference<>("");
  private final List<Thread> workers = new ArrayList<>();
  private volatile boolean measured;
  private volatile boolean ended;
  private volatile double seconds;

  /**
   * Begins.
   *
   * @param ids positions of a request
   * @param rate requests a second
   */
  RedisLoad(InputLayout layout, TierView tier, int rows, int ids, long rate) {
    this.layout = layout;
    this.tier = tier;
    this.rows = rows;
    this.ids = ids;
    this.rate = rate;
    this.width = layout.groups().getFirst().width();
    for (int w = 0; w < WORKERS; w++) {
      int seed = w;
      workers.add(Thread.ofPlatform().daemon().name("load-" + w).start(() -> work(seed)));
    }
  }

  private void work(int seed) {
    SpreadIds spread = new SpreadIds(rows, new SplittableRandom(seed));
    UniqueRows unique = new UniqueRows(layout);
    int[] slots = new int[ids];
    try (ModelInputs target = new ModelInputs(layout, Element.FLOAT32, _ -> {})) {
      while (!ended) {
        long due = began + next.getAndIncrement() * 1_000_000_000L / rate;
        for (long wait = due - System.nanoTime(); wait > 0 && !ended; ) {
          LockSupport.parkNanos(wait);
          wait = due - System.nanoTime();
        }
        if (!ended) {
          one(spread, unique, slots, target, due);
        }
      }
    }
  }

  private void one(SpreadIds spread, UniqueRows unique, int[] slots, ModelInputs target, long due) {
    unique.clear();
    for (int i = 0; i < ids; i++) {
      slots[i] = unique.slotOf(0, spread.getAsInt());
    }
    target.begin(0, 1);
    try {
      Defaulted defaulted = tier.copyRows(0, unique, target, System.nanoTime() + PATIENCE_NANOS);
      int tenth = tenth(now());
      if (measured) {
        long took = (System.nanoTime() - due) / 1_000_000;
        long _ = tookMillis.incrementAndGet((int) Math.min(MILLIS - 1, took));
      }
      compare(unique, target, defaulted);
      int without = 0;
      for (int slot : slots) {
        without += defaulted != null && defaulted.slots().get(slot) ? 1 : 0;
      }
      long _ = positions.addAndGet(tenth, ids);
      long _ = defaults.addAndGet(tenth, without);
    } catch (RuntimeException e) {
      failed.increment();
      boolean _ = firstWrong.compareAndSet("", "; the first to fail: " + e);
    }
    requests.increment();
  }

  /** A row is its own; or it is the default one, and said to be so because it was not read. */
  private void compare(UniqueRows unique, ModelInputs target, @Nullable Defaulted defaulted) {
    BitSet without = defaulted == null ? new BitSet() : defaulted.slots();
    BitSet unread = defaulted == null ? new BitSet() : defaulted.unread();
    int count = unique.size(0);
    MemorySegment got = target.rows(0, count);
    for (int slot = 1; slot <= count; slot++) {
      long key = unique.key(0, slot);
      boolean right = !without.get(slot) || unread.get(slot);
      for (int j = 0; j < width; j++) {
        float value = got.getAtIndex(ValueLayout.JAVA_FLOAT, (long) slot * width + j);
        right &= value == (without.get(slot) ? -1 : RedisBenchmark.expected(key, j));
      }
      if (!right) {
        wrong.increment();
        boolean _ =
            firstWrong.compareAndSet(
                "",
                "; the first, row %d at %.1f s, %s"
                    .formatted(
                        key, now(), without.get(slot) ? "is said not to exist" : "is another one"));
      }
    }
    compared.add(count);
  }

  /** From now on it is counted how long requests take: it has warmed up. */
  void measure() {
    measured = true;
  }

  /** Seconds since it began. */
  double now() {
    return (System.nanoTime() - began) / 1e9;
  }

  private static int tenth(double time) {
    return Math.min(TENTHS - 1, (int) (time * 10));
  }

  /** Fails where less than 80 % of the requests were made. */
  void requireLoad() throws BenchmarkException {
    double planned = seconds * rate;
    if (requests.sum() < 0.8 * planned) {
      throw new BenchmarkException(
          "only %d of %.0f requests were made: this machine is too slow for that rate"
              .formatted(requests.sum(), planned));
    }
  }

  int positionsOfRequest() {
    return ids;
  }

  long requests() {
    return requests.sum();
  }

  long compared() {
    return compared.sum();
  }

  long wrong() {
    return wrong.sum();
  }

  String firstWrong() {
    return firstWrong.get();
  }

  long failed() {
    return failed.sum();
  }

  private static long sum(AtomicLongArray of, int from, int to) {
    long sum = 0;
    for (int t = from; t < to; t++) {
      sum += of.get(t);
    }
    return sum;
  }

  private double ratio(int from, int to) {
    return (double) sum(defaults, from, to) / Math.max(1, sum(positions, from, to));
  }

  /** Share of the positions that took a default row. */
  double defaulted(double from, double to) {
    return ratio(tenth(from), tenth(to));
  }

  /** That share in the second in which it was highest. */
  double worst(double from, double to) {
    double worst = 0;
    for (int t = tenth(from); t + 10 <= tenth(to); t++) {
      worst = Math.max(worst, ratio(t, t + 10));
    }
    return worst;
  }

  /** Positions a second that took their own row. */
  double own(double from, double to) {
    int first = tenth(from);
    int last = tenth(to);
    return (sum(positions, first, last) - sum(defaults, first, last)) / (to - from);
  }

  /**
   * When, from {@code from} on, nearly all positions took their own row for a second; {@code to}
   * where they never did.
   */
  double recovered(double from, double to) {
    int last = tenth(to) - 10;
    for (int t = tenth(from) + 1; t <= last; t++) {
      boolean bad = false;
      for (int u = t; u < t + 10; u++) {
        bad |= sum(positions, u, u + 1) > 0 && ratio(u, u + 1) >= 0.01;
      }
      if (!bad && sum(positions, t, t + 10) > 0) {
        return Math.max(from, t / 10.0);
      }
    }
    return to;
  }

  /** What the given share of requests took at most. */
  double millis(double share) {
    long all = sum(tookMillis, 0, MILLIS);
    long seen = 0;
    int at = -1;
    while (at < MILLIS - 1 && seen < share * all) {
      at++;
      seen += tookMillis.get(at);
    }
    return at;
  }

  @Override
  public void close() {
    end();
  }

  /** Ends the requests. */
  void end() {
    if (ended) {
      return;
    }
    seconds = now();
    ended = true;
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
      try {
        worker.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
