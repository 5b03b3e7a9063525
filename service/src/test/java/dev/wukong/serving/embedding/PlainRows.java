package dev.wukong.serving.embedding;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a row store must hold after some operations, in plain maps. One thread. */
final class PlainRows {
  /** What is remembered under a key. */
  private record Remembered(StateKind kind, long key) {}

  /** One bundle; its rows by key. Copied before it changes. */
  private record Bundle(
      Map<Long, float[]> rows,
      Map<Remembered, String> state,
      long version,
      @Nullable String digest,
      boolean stored) {
    static final Bundle NONE = new Bundle(Map.of(), Map.of(), 0, null, false);
  }

  private final Map<RowsView, Bundle> bundles = new HashMap<>();

  /** Loads that were cut short and gone on with, from where some of their rows were there. */
  private int resumed;

  PlainRows() {
    StoreOperation.bundles().forEach(view -> bundles.put(view, Bundle.NONE));
  }

  private PlainRows(Map<RowsView, Bundle> bundles) {
    this.bundles.putAll(bundles);
  }

  /** The same after {@code operation}; this one stays. */
  PlainRows after(StoreOperation operation) {
    PlainRows next = new PlainRows(bundles);
    switch (operation) {
      case StoreOperation.Commit(RowCommit commit, List<StateChange> state) ->
          next.bundles.compute(
              commit.view().imported(),
              (_, was) -> committed(was == null ? Bundle.NONE : was, commit, state));
      case StoreOperation.Load load -> {
        Map<Long, float[]> rows = new HashMap<>();
        for (int i = 0; i < load.keys().length; i++) {
          rows.put(load.keys()[i], load.rows()[i]);
        }
        next.bundles.put(load.bundle(), new Bundle(rows, Map.of(), 0, load.digest(), true));
      }
      case StoreOperation.Drop(RowsView bundle) -> next.bundles.put(bundle, Bundle.NONE);
      case StoreOperation.Read _, StoreOperation.Reopen _ -> {}
    }
    return next;
  }

  private static Bundle committed(Bundle was, RowCommit commit, List<StateChange> changed) {
    Map<Long, float[]> rows = new HashMap<>(was.rows());
    for (RowCommit.Changes changes : commit.changes()) {
      int width = changes.width();
      for (int i = 0; i < changes.keys().length; i++) {
        rows.put(changes.keys()[i], Arrays.copyOfRange(changes.rows(), i * width, (i + 1) * width));
      }
      for (long key : changes.removed()) {
        rows.remove(key);
      }
    }
    Map<Remembered, String> state = new HashMap<>(was.state());
    for (StateChange change : changed) {
      switch (change) {
        case StateChange.Put put ->
            state.put(new Remembered(put.kind(), put.key()), Arrays.toString(put.value()));
        case StateChange.Remove remove -> state.remove(new Remembered(remove.kind(), remove.key()));
        case StateChange.RemoveBelow below ->
            state.keySet().removeIf(r -> r.kind() == below.kind() && r.key() < below.end());
        case StateChange.Clear clear -> state.keySet().removeIf(r -> r.kind() == clear.kind());
      }
    }
    return new Bundle(rows, state, commit.view().version(), was.digest(), true);
  }

  /** The rows of these keys, null where there is none. */
  private static float[] @Nullable [] rows(Bundle bundle, long[] keys) {
    return Arrays.stream(keys).mapToObj(bundle.rows()::get).toArray(float[][]::new);
  }

  /** Loads that were cut short and gone on with, from where some of their rows were there. */
  int resumed() {
    return resumed;
  }

  /** A number for what {@code read} must find. */
  int hash(StoreOperation.Read read) {
    return Arrays.deepHashCode(rows(of(read.bundle()), read.keys()));
  }

  private Bundle of(RowsView bundle) {
    return bundles.getOrDefault(bundle, Bundle.NONE);
  }

  /** How {@code store} differs from this; empty where it does not. */
  Optional<String> difference(StateStore store) {
    return StoreOperation.bundles().stream()
        .map(bundle -> difference(store, bundle))
        .flatMap(Optional::stream)
        .findFirst()
        .or(() -> difference("stored bundles", store.stored(), stored()));
  }

  private Set<RowsView> stored() {
    Set<RowsView> stored = new HashSet<>(bundles.keySet());
    stored.removeIf(view -> !of(view).stored());
    return stored;
  }

  private static Optional<String> difference(String what, Object is, Object must) {
    return is.equals(must)
        ? Optional.empty()
        : Optional.of("%s: %s, must be %s".formatted(what, is, must));
  }

  /** The same of one bundle: its version, its mark, what is remembered and every row. */
  Optional<String> difference(StateStore store, RowsView view) {
    Bundle bundle = of(view);
    return difference(view + " version", store.version(view), bundle.version())
        .or(
            () ->
                difference(
                    view + " digest", store.imported(view), Optional.ofNullable(bundle.digest())))
        .or(() -> difference(view + " state", state(store, view), bundle.state()))
        .or(() -> rowsDifference(store, view, bundle));
  }

  private static Map<Remembered, String> state(StateStore store, RowsView view) {
    Map<Remembered, String> state = new HashMap<>();
    for (StateKind kind : StateKind.values()) {
      store.forEachState(
          view, kind, (key, value) -> state.put(new Remembered(kind, key), Arrays.toString(value)));
    }
    return state;
  }

  private static Optional<String> rowsDifference(StateStore store, RowsView view, Bundle bundle) {
    long[] keys = StoreOperation.keys();
    float[] @Nullable [] is = StoreActions.read(store, view, keys);
    float[] @Nullable [] must = rows(bundle, keys);
    for (int i = 0; i < keys.length; i++) {
      if (!Arrays.equals(is[i], must[i])) {
        return Optional.of(
            "%s row %d: %s, must be %s"
                .formatted(view, keys[i], Arrays.toString(is[i]), Arrays.toString(must[i])));
      }
    }
    long[] there = bundle.rows().keySet().stream().mapToLong(key -> key).sorted().toArray();
    return difference(
        view + " keys",
        Arrays.toString(store.rowKeys(view, -1, keys.length)),
        Arrays.toString(there));
  }

  /**
   * How {@code store} differs both from this and from this after {@code cut}, whose process ended
   * on the way; empty where it is one of them, or for a load some of its rows, and after going on
   * with it all of them.
   */
  Optional<String> differenceAfterCut(StateStore store, StoreOperation cut) {
    for (RowsView view : StoreOperation.bundles()) {
      Optional<String> before = difference(store, view);
      if (before.isPresent()) {
        Optional<String> after = after(cut).difference(store, view);
        if (after.isPresent() && !isPart(store, cut, view)) {
          return Optional.of(
              "after %s was cut short: %s; and %s"
                  .formatted(cut.getClass().getSimpleName(), before.get(), after.get()));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Whether what is there is some of a load that does not count as done, so that it can be gone on
   * with: then it is gone on with.
   */
  private boolean isPart(StateStore store, StoreOperation cut, RowsView view) {
    if (!(cut instanceof StoreOperation.Load load)
        || !load.bundle().equals(view)
        || store.imported(view).isPresent()
        || store.version(view) != 0) {
      return false;
    }
    float[] @Nullable [] must = rows(after(cut).of(view), StoreOperation.keys());
    float[] @Nullable [] is = StoreActions.read(store, view, StoreOperation.keys());
    for (int i = 0; i < is.length; i++) {
      if (is[i] != null && !Arrays.equals(is[i], must[i])) {
        return false;
      }
    }
    resumed += StoreActions.load(store, load) == BulkRows.NOTHING ? 0 : 1;
    return after(cut).difference(store, view).isEmpty();
  }
}
