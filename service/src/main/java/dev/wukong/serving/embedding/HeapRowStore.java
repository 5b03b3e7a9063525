package dev.wukong.serving.embedding;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Rows on the heap: for tests, and for models small enough to be read from their bundle at every
 * start.
 */
public final class HeapRowStore implements StateStore {
  private record Place(String model, long bundle) {
    static Place of(RowsView view) {
      return new Place(view.model(), view.bundle());
    }
  }

  /** A row from a version on, null where there is none from then on; and what was before it. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Cell(long version, float @Nullable [] row, @Nullable Cell before) {
    /**
     * This one, with as many of {@code cell} and those before as are seen from {@code oldest} on.
     */
    Cell over(@Nullable Cell cell, long oldest) {
      if (cell == null || version <= oldest) {
        return new Cell(version, row, null);
      }
      // One of the same version is replaced.
      return cell.version() == version
          ? over(cell.before(), oldest)
          : new Cell(
              version, row, new Cell(cell.version(), cell.row(), null).over(cell.before(), oldest));
    }
  }

  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final Map<Place, Map<Long, Cell>> rows = new HashMap<>();
  private final Map<Place, Long> versions = new HashMap<>();
  private final Map<Place, HeapStates> states = new HashMap<>();

  /** How many readers are at which versions. */
  private final Map<Place, NavigableMap<Long, Integer>> readers = new HashMap<>();

  private final Map<Place, String> digests = new HashMap<>();
  private boolean closed;

  @Override
  public boolean durable() {
    return false;
  }

  @Override
  public RowReader reader(RowsView view) {
    Place place = Place.of(view);
    lock.writeLock().lock();
    try {
      readers.computeIfAbsent(place, p -> new TreeMap<>()).merge(view.version(), 1, Integer::sum);
    } finally {
      lock.writeLock().unlock();
    }
    return new RowReader() {
      @Override
      public void read(int width, long[] keys, int count, float[] out, RowFate[] fates) {
        HeapRowStore.this.read(view, width, keys, count, out, fates);
      }

      @Override
      public void close() {
        lock.writeLock().lock();
        try {
          NavigableMap<Long, Integer> open = readers.get(place);
          if (open != null) {
            open.computeIfPresent(view.version(), (v, many) -> many == 1 ? null : many - 1);
          }
        } finally {
          lock.writeLock().unlock();
        }
      }
    };
  }

  private void read(
      RowsView view, int width, long[] keys, int count, float[] out, RowFate[] fates) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new StoreException("the row store is closed", null);
      }
      Map<Long, Cell> held = rows.getOrDefault(Place.of(view), Map.of());
      for (int i = 0; i < count; i++) {
        Cell cell = held.get(keys[i]);
        while (cell != null && cell.version() > view.version()) {
          cell = cell.before();
        }
        float[] row = cell == null ? null : cell.row();
        fates[i] = row == null ? RowFate.ABSENT : RowFate.FOUND;
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
  public long version(RowsView view) {
    lock.readLock().lock();
    try {
      return versions.getOrDefault(Place.of(view), 0L);
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void apply(RowCommit commit, List<StateChange> state) {
    Place place = Place.of(commit.view());
    long version = commit.view().version();
    lock.writeLock().lock();
    try {
      Map<Long, Cell> held = rows.computeIfAbsent(place, p -> new HashMap<>());
      NavigableMap<Long, Integer> open =
          readers.getOrDefault(place, Collections.emptyNavigableMap());
      long oldest = open.isEmpty() ? version : Math.min(version, open.firstKey());
      for (RowCommit.Changes changes : commit.changes()) {
        int width = changes.width();
        for (int i = 0; i < changes.keys().length; i++) {
          float[] row = Arrays.copyOfRange(changes.rows(), i * width, (i + 1) * width);
          held.merge(
              changes.keys()[i],
              new Cell(version, row, null),
              (before, now) -> now.over(before, oldest));
        }
        for (long key : changes.removed()) {
          held.computeIfPresent(
              key,
              (k, before) -> {
                Cell now = new Cell(version, null, null).over(before, oldest);
                return now.before() == null ? null : now;
              });
        }
      }
      for (StateChange change : state) {
        Place owner = Place.of(change.kind().owner(commit.view()));
        states.computeIfAbsent(owner, p -> new HeapStates()).apply(change);
      }
      versions.put(place, version);
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public List<byte @Nullable []> state(RowsView view, StateKind kind, long[] keys) {
    lock.readLock().lock();
    try {
      return of(view, kind).read(kind, keys);
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void forEachState(RowsView view, StateKind kind, StateReceiver receiver) {
    Map<Long, byte[]> all;
    lock.readLock().lock();
    try {
      all = of(view, kind).all(kind);
    } finally {
      lock.readLock().unlock();
    }
    all.forEach(receiver::accept);
  }

  @Override
  public List<Remembered> states(RowsView view, StateKind kind, long after, int most) {
    lock.readLock().lock();
    try {
      return of(view, kind).after(kind, after, most);
    } finally {
      lock.readLock().unlock();
    }
  }

  private HeapStates of(RowsView view, StateKind kind) {
    return states.getOrDefault(Place.of(kind.owner(view)), new HeapStates());
  }

  @Override
  public long[] rowKeys(RowsView view, long after, int most) {
    lock.readLock().lock();
    try {
      return rows.getOrDefault(Place.of(view), Map.of()).entrySet().stream()
          .filter(row -> row.getKey() > after && row.getValue().row() != null)
          .mapToLong(Map.Entry::getKey)
          .sorted()
          .limit(most)
          .toArray();
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public BulkRows bulk(RowsView view, String digest, RowSample sample) {
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
      versions.remove(Place.of(view));
      states.remove(Place.of(view));
      digests.remove(Place.of(view));
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
    } finally {
      lock.writeLock().unlock();
    }
  }
}
