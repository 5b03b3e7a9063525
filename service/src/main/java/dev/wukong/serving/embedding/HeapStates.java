package dev.wukong.serving.embedding;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What training remembers of one bundle, on the heap. Many may read, or one write. */
final class HeapStates {
  private final Map<StateKind, NavigableMap<Long, byte[]>> kinds = new EnumMap<>(StateKind.class);

  /** Makes a change. */
  void apply(StateChange change) {
    NavigableMap<Long, byte[]> values =
        kinds.computeIfAbsent(change.kind(), kind -> new TreeMap<>());
    switch (change) {
      case StateChange.Put put -> values.put(put.key(), put.value().clone());
      case StateChange.Remove remove -> values.remove(remove.key());
      case StateChange.RemoveBelow below -> values.headMap(below.end(), false).clear();
      case StateChange.Clear _ -> values.clear();
    }
  }

  /** The values of {@code keys}; null where there is none. */
  List<byte @Nullable []> read(StateKind kind, long[] keys) {
    List<byte @Nullable []> values = new ArrayList<>(keys.length);
    NavigableMap<Long, byte[]> held = kinds.getOrDefault(kind, Collections.emptyNavigableMap());
    for (long key : keys) {
      values.add(held.get(key));
    }
    return values;
  }

  /** The first of a kind after a key. */
  List<StateStore.Remembered> after(StateKind kind, long after, int most) {
    return kinds
        .getOrDefault(kind, Collections.emptyNavigableMap())
        .tailMap(after, false)
        .entrySet()
        .stream()
        .limit(most)
        .map(e -> new StateStore.Remembered(e.getKey(), e.getValue()))
        .toList();
  }

  /** All of a kind, by key; a copy. */
  NavigableMap<Long, byte[]> all(StateKind kind) {
    return new TreeMap<>(kinds.getOrDefault(kind, Collections.emptyNavigableMap()));
  }
}
