package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;

/**
 * What is remembered of one model that who serves it needs, on the heap; and all that is of a kind
 * and an owner as bytes: each key (int64), the value's length (int32), and the value. One thread.
 */
final class ServedStates {
  private final Map<Long, HeapStates> owners = new HashMap<>();

  /**
   * What is kept together.
   *
   * @param bundle whose it is; that of {@link RowsView#ofModel} where it is all bundles'
   */
  record Place(long bundle, StateKind kind) {}

  /** Makes those of {@code changes} that are of use here; which places they touch. */
  Set<Place> apply(RowsView view, List<StateChange> changes) {
    Set<Place> touched = new LinkedHashSet<>();
    for (StateChange change : changes) {
      StateKind kind = change.kind();
      if (kind.serves()) {
        RowsView owner = kind.owner(view);
        owners.computeIfAbsent(owner.bundle(), _ -> new HeapStates()).apply(change);
        touched.add(new Place(owner.bundle(), kind));
      }
    }
    return touched;
  }

  /** What is remembered of a kind, of the bundle of {@code view} or of its model. */
  HeapStates of(RowsView view, StateKind kind) {
    return owners.getOrDefault(kind.owner(view).bundle(), new HeapStates());
  }

  /** Forgets what is a bundle's own. */
  void forget(long bundle) {
    owners.remove(bundle);
  }

  /** All of a place. */
  byte[] bytes(Place place) {
    NavigableMap<Long, byte[]> all =
        owners.getOrDefault(place.bundle(), new HeapStates()).all(place.kind());
    int size = 0;
    for (byte[] value : all.values()) {
      size = Math.addExact(size, Math.addExact(Long.BYTES + Integer.BYTES, value.length));
    }
    ByteBuffer bytes = ByteBuffer.allocate(size);
    all.forEach((key, value) -> bytes.putLong(key).putInt(value.length).put(value));
    return bytes.array();
  }

  /**
   * Takes what {@link #bytes} has given, of a place of which nothing is known here.
   *
   * @throws StoreException if it is something else
   */
  void take(Place place, byte[] bytes) {
    HeapStates states = owners.computeIfAbsent(place.bundle(), _ -> new HeapStates());
    ByteBuffer in = ByteBuffer.wrap(bytes);
    while (in.hasRemaining()) {
      long key = in.remaining() < Long.BYTES + Integer.BYTES ? -1 : in.getLong();
      int length = key < 0 ? -1 : in.getInt();
      if (length < 0 || length > in.remaining()) {
        throw new StoreException("what is remembered of %s is damaged".formatted(place), null);
      }
      byte[] value = new byte[length];
      in.get(value);
      states.apply(new StateChange.Put(place.kind(), key, value));
    }
  }
}
