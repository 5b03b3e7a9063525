package dev.wukong.serving.joining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Values of one kind by key: those that changed since the last commit and some others in memory,
 * all others in the store. One thread.
 */
final class Kept<T> {
  /** How values are at rest. */
  interface Form<T> {
    byte[] bytes(T value);

    T of(long key, byte[] bytes);

    /** A form of two functions. */
    static <T> Form<T> of(Function<T, byte[]> write, Reading<T> read) {
      return new Form<>() {
        @Override
        public byte[] bytes(T value) {
          return write.apply(value);
        }

        @Override
        public T of(long key, byte[] bytes) {
          return read.of(key, bytes);
        }
      };
    }
  }

  /** Reads a value at rest. */
  @FunctionalInterface
  interface Reading<T> {
    T of(long key, byte[] bytes);
  }

  private final StateStore store;
  private final RowsView view;
  private final StateKind kind;
  private final Form<T> form;
  private final NavigableMap<Long, T> changed = new TreeMap<>();
  private final NavigableSet<Long> removed = new TreeSet<>();
  private final Map<Long, T> unchanged;

  /**
   * The values of {@code kind}.
   *
   * @param most unchanged ones in memory, those used last
   */
  Kept(StateStore store, RowsView view, StateKind kind, Form<T> form, int most) {
    this.store = store;
    this.view = view;
    this.kind = kind;
    this.form = form;
    this.unchanged =
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1;

          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, T> eldest) {
            return size() > most;
          }
        };
  }

  /** The value of {@code key}; null where it has none. Who changes it must {@link #put} it. */
  @Nullable T get(long key) {
    T value = held(key);
    if (value == null && !removed.contains(key)) {
      value = read(key, store.state(view, kind, new long[] {key}).getFirst());
    }
    return value;
  }

  private @Nullable T held(long key) {
    T value = changed.get(key);
    return value == null ? unchanged.get(key) : value;
  }

  private @Nullable T read(long key, byte @Nullable [] bytes) {
    if (bytes == null) {
      return null;
    }
    T value = form.of(key, bytes);
    unchanged.put(key, value);
    return value;
  }

  /** Has the values of {@code keys} in memory, if they are not too many. */
  void fetch(long[] keys) {
    long[] missing =
        LongStream.of(keys)
            .distinct()
            .filter(key -> held(key) == null && !removed.contains(key))
            .toArray();
    if (missing.length == 0) {
      return;
    }
    List<byte @Nullable []> found = store.state(view, kind, missing);
    for (int i = 0; i < missing.length; i++) {
      T _ = read(missing[i], found.get(i));
    }
  }

  /** It has this value from now on. */
  void put(long key, T value) {
    unchanged.remove(key);
    removed.remove(key);
    changed.put(key, value);
  }

  /** It has none any more. */
  void remove(long key) {
    unchanged.remove(key);
    changed.remove(key);
    removed.add(key);
  }

  /** What has changed since this was last asked. */
  void drain(List<StateChange> to) {
    changed.forEach(
        (key, value) -> {
          to.add(new StateChange.Put(kind, key, form.bytes(value)));
          unchanged.put(key, value);
        });
    changed.clear();
    removed.forEach(key -> to.add(new StateChange.Remove(kind, key)));
    removed.clear();
  }
}
