package dev.wukong.serving.embedding;

import dev.wukong.data.RowKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;

/**
 * Writes rows of a model to a Redis cluster as it learns, for processes that only serve and see
 * them as {@link MirroredRows}. What it writes of a commit is the same whoever writes it, so that
 * two of these that overlap do no harm: the one that says it second fails, and begins again where
 * the other one is. One thread; all throw {@link StoreException}.
 */
public final class RowMirror {
  /*
   * A bundle comes in as it is in the store of the one that trains, at one commit. Readers are told
   * of it when the mirror has come to that commit: those before it are in what came.
   */

  private static final int CHUNK = 4096;

  private final RedisRowStore rows;
  private final RedisMirror mirror;
  private final String model;

  private long sequence = RedisMirror.NOTHING;
  private Map<Long, Long> versions = new HashMap<>();
  private ServedStates states = new ServedStates();

  /** Bundles that are there, and of which readers do not know yet. */
  private final Map<Long, Built> built = new HashMap<>();

  /** The nodes that took writes when this last was asked. */
  private List<String> masters = List.of();

  /**
   * A bundle as it came in.
   *
   * @param sequence of the commit with which it did
   */
  private record Built(long sequence, long version, List<StateChange> states) {}

  /** A mirror of {@code model} in {@code rows}; {@link #open} comes first. */
  public RowMirror(RedisRowStore rows, String model) {
    this.rows = rows;
    this.mirror = rows.mirror(model);
    this.model = model;
  }

  /** Finds out how far it has come; whether there is something. */
  public boolean open() {
    built.clear();
    RedisMirror.Held held =
        mirror
            .read()
            .orElseGet(
                () -> new RedisMirror.Held(RedisMirror.NOTHING, Map.of(), new ServedStates()));
    sequence = held.sequence();
    versions = new HashMap<>(held.versions());
    states = held.states();
    if (masters.isEmpty()) {
      masters = rows.masterNames();
    }
    return sequence != RedisMirror.NOTHING;
  }

  /**
   * Begins anew, with no bundle.
   *
   * @param from the commit up to which what comes in will have come, or more
   * @param state what is remembered of the model, not of a bundle
   */
  public void begin(long from, List<StateChange> state) {
    mirror.forget();
    sequence = RedisMirror.NOTHING;
    versions = new HashMap<>();
    states = new ServedStates();
    built.clear();
    RedisMirror.Draft draft = mirror.draft();
    put(draft, new RowsView(model, 0, 0), state);
    publish(draft, from);
  }

  private void put(RedisMirror.Draft draft, RowsView view, List<StateChange> state) {
    states.apply(view, state).forEach(place -> draft.state(states, place));
  }

  private void publish(RedisMirror.Draft draft, long next) {
    draft.publish(sequence, next);
    sequence = next;
  }

  /** What is remembered of the model there under a key; fails where nothing is. */
  public byte[] state(StateKind kind, long key) {
    byte[] value =
        states.of(new RowsView(model, 0, 0), kind).read(kind, new long[] {key}).getFirst();
    if (value == null) {
      throw new StoreException("what is mirrored says nothing of " + kind, null);
    }
    return value;
  }

  /** The last commit whose rows are there. */
  public long sequence() {
    return sequence;
  }

  /** Whether a bundle is there, with all its rows. */
  public boolean has(long bundle) {
    return (versions.containsKey(bundle) || built.containsKey(bundle))
        && rows.imported(new RowsView(model, bundle, 0)).isPresent();
  }

  /**
   * Brings a bundle in as {@code from} has it.
   *
   * @param now the last commit that {@code from} has
   * @param widths of rows, by table
   * @param ends whether to give it up
   * @return whether it is there
   */
  public boolean bring(
      StateStore from,
      long bundle,
      LongSupplier now,
      IntUnaryOperator widths,
      BooleanSupplier ends) {
    RowsView imported = new RowsView(model, bundle, 0);
    String digest =
        from.imported(imported)
            .orElseThrow(
                () -> new StoreException("version %d is not stored".formatted(bundle), null));
    retract(bundle);
    while (!ends.getAsBoolean()) {
      long before = now.getAsLong();
      RowsView at = new RowsView(model, bundle, from.version(imported));
      try (RowReader reader = from.reader(at)) {
        List<StateChange> served = served(from, at);
        if (now.getAsLong() == before) { // Else there was a commit while these were read.
          rows.drop(imported);
          if (!copy(from, at, digest, reader, widths, ends)) {
            return false;
          }
          built.put(bundle, new Built(before, at.version(), served));
          if (before <= sequence) {
            RedisMirror.Draft draft = mirror.draft();
            reveal(draft, sequence);
            publish(draft, sequence);
          }
          return true;
        }
      }
    }
    return false;
  }

  /** Tells readers that a bundle is not there. */
  private void retract(long bundle) {
    built.remove(bundle);
    if (versions.remove(bundle) != null) {
      states.forget(bundle);
      RedisMirror.Draft draft = mirror.draft();
      draft.forget(bundle);
      publish(draft, sequence);
    }
  }

  private static List<StateChange> served(StateStore from, RowsView view) {
    List<StateChange> puts = new ArrayList<>();
    for (StateKind kind : StateKind.values()) {
      if (kind.serves() && kind.owner(view).equals(view)) {
        from.forEachState(
            view, kind, (key, value) -> puts.add(new StateChange.Put(kind, key, value)));
      }
    }
    return puts;
  }

  private boolean copy(
      StateStore from,
      RowsView at,
      String digest,
      RowReader reader,
      IntUnaryOperator widths,
      BooleanSupplier ends) {
    try (BulkRows to = rows.bulk(at, digest)) {
      long[] keys = from.rowKeys(at, -1, CHUNK);
      while (keys.length > 0) {
        if (ends.getAsBoolean()) {
          return false;
        }
        int first = 0;
        for (int i = 1; i <= keys.length; i++) {
          int width = widths.applyAsInt(RowKey.table(keys[first]));
          if (i == keys.length || widths.applyAsInt(RowKey.table(keys[i])) != width) {
            copy(Arrays.copyOfRange(keys, first, i), width, reader, to);
            first = i;
          }
        }
        keys = from.rowKeys(at, keys[keys.length - 1], CHUNK);
      }
      to.finish();
      return true;
    }
  }

  private static void copy(long[] keys, int width, RowReader reader, BulkRows to) {
    float[] values = new float[Math.multiplyExact(keys.length, width)];
    RowFate[] fates = new RowFate[keys.length];
    reader.read(width, keys, keys.length, values, fates);
    int count = 0;
    for (int i = 0; i < keys.length; i++) {
      switch (fates[i]) {
        case FOUND -> {
          keys[count] = keys[i];
          System.arraycopy(values, i * width, values, count * width, width);
          count++;
        }
        case ABSENT -> {} // It came with a later commit.
        case UNREAD -> throw new StoreException("row %d cannot be read".formatted(keys[i]), null);
      }
    }
    to.add(width, keys, count, values);
  }

  /** Tells readers of what has come in up to a commit. */
  private void reveal(RedisMirror.Draft draft, long upTo) {
    for (Map.Entry<Long, Built> one : Map.copyOf(built).entrySet()) {
      Built bundle = one.getValue();
      if (bundle.sequence() <= upTo) {
        built.remove(one.getKey());
        versions.put(one.getKey(), bundle.version());
        draft.version(one.getKey(), bundle.version());
        put(draft, new RowsView(model, one.getKey(), bundle.version()), bundle.states());
      }
    }
  }

  /** What {@link #apply} wrote. */
  public record Written(RowsView view, boolean replicated) {}

  /**
   * Writes the commit after {@link #sequence}, and tells readers.
   *
   * @param bundle that it changes; one that is not here, or came in with it, has nothing to be
   *     written
   */
  public Written apply(long bundle, List<RowCommit.Changes> changes, List<StateChange> state) {
    long next = sequence + 1;
    RedisMirror.Draft draft = mirror.draft();
    Long before = versions.get(bundle);
    RowsView view = new RowsView(model, bundle, before == null ? 0 : before + 1);
    RowCommit commit = new RowCommit(view, changes);
    boolean replicated = true;
    if (before != null) {
      replicated = rows.install(commit);
      versions.put(bundle, view.version());
      draft.version(bundle, view.version());
      put(draft, view, state);
    } else {
      put(draft, view, state.stream().filter(one -> !one.kind().owner(view).equals(view)).toList());
    }
    reveal(draft, next);
    publish(draft, next);
    if (before != null && replicated) {
      rows.fade(commit);
    }
    return new Written(view, replicated);
  }

  /** Writes the rows of a commit again that a master may have lost; whether replicas have it. */
  public boolean again(RowsView view, List<RowCommit.Changes> changes) {
    return !versions.containsKey(view.bundle()) || rows.install(new RowCommit(view, changes));
  }

  /** Whether other nodes take writes than when this was last asked: some may be lost. */
  public boolean mastersChanged() {
    List<String> now = rows.masterNames();
    boolean changed = !now.equals(masters);
    masters = now;
    return changed;
  }

  /** Lets go of bundles that are not used here any more: they go with the last who uses them. */
  public void keepOnly(Set<Long> used) {
    Set<Long> gone = new HashSet<>(versions.keySet());
    gone.removeAll(used);
    for (long bundle : gone) {
      if (rows.dropUnused(new RowsView(model, bundle, 0))) {
        retract(bundle);
      }
    }
  }
}
