package dev.wukong.serving.embedding;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Rows on the heap: for tests, and for models small enough to be read from their bundle at every
 * start.
 */
public final class HeapRowStore implements RowStore {
  private record Place(String model, long bundle) {
    static Place of(RowsView view) {
      return new Place(view.model(), view.bundle());
    }
  }

  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final Map<Place, Map<Long, float[]>> rows = new HashMap<>();
  private final Map<Place, String> digests = new HashMap<>();

  @Override
  public boolean durable() {
    return false;
  }

  @Override
  public void read(RowsView view, int width, long[] keys, int count, float[] out, boolean[] found) {
    lock.readLock().lock();
    try {
      Map<Long, float[]> held = rows.get(Place.of(view));
      for (int i = 0; i < count; i++) {
        float[] row = held == null ? null : held.get(keys[i]);
        found[i] = row != null;
        if (row != null) {
          if (row.length != width) {
            throw new StoreException(
                "row %d has width %d, expected %d".formatted(keys[i], row.length, width), null);
          }
          System.arraycopy(row, 0, out, i * width, width);
        }
      }
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void apply(RowCommit commit) {
    lock.writeLock().lock();
    try {
      Map<Long, float[]> held = rows.computeIfAbsent(Place.of(commit.view()), p -> new HashMap<>());
      int width = commit.width();
      for (int i = 0; i < commit.keys().length; i++) {
        held.put(commit.keys()[i], Arrays.copyOfRange(commit.rows(), i * width, (i + 1) * width));
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public BulkRows bulk(RowsView view, String digest) {
    drop(view);
    return new BulkRows() {
      @Override
      public long after() {
        return NOTHING;
      }

      @Override
      public void add(int width, long[] keys, int count, float[] values) {
        apply(
            new RowCommit(
                view,
                width,
                Arrays.copyOf(keys, count),
                Arrays.copyOf(values, Math.multiplyExact(count, width))));
      }

      @Override
      public void finish() {
        markImported(view, digest);
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void markImported(RowsView view, String digest) {
    lock.writeLock().lock();
    try {
      digests.put(Place.of(view), digest);
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public Optional<String> imported(RowsView view) {
    lock.readLock().lock();
    try {
      return Optional.ofNullable(digests.get(Place.of(view)));
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public Set<RowsView> stored() {
    lock.readLock().lock();
    try {
      return Stream.of(rows, digests)
          .flatMap(held -> held.keySet().stream())
          .map(place -> new RowsView(place.model(), place.bundle(), 0))
          .collect(Collectors.toSet());
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void drop(RowsView view) {
    lock.writeLock().lock();
    try {
      rows.remove(Place.of(view));
      digests.remove(Place.of(view));
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public void close() {}
}
