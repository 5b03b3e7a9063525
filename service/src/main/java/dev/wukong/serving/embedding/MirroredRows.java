package dev.wukong.serving.embedding;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a model that another process writes to a Redis cluster as it learns, seen by one that
 * only serves: nothing is written here. What has no row, and how far this process has come, is on
 * the heap; it begins with what Redis says. Other models are as in {@link RedisRowStore}. Any
 * thread.
 *
 * <p>Redis is ahead of who reads it: each row has its two newest versions there, and who follows
 * moves to a commit once its rows have come. See {@link RowMirror} for who writes.
 */
public final class MirroredRows implements StateStore {
  /** A bundle as it is seen here. */
  private static final class Seen {
    /** Of the commit up to which it had come when it was first looked at. */
    final long since;

    long version;

    Seen(long since, long version) {
      this.since = since;
      this.version = version;
    }
  }

  private final RedisRowStore rows;
  private final RedisMirror mirror;
  private final String model;

  /** Guards all below; nobody waits for Redis with it but who begins. */
  private final Object lock = new Object();

  private final Map<Long, Seen> bundles = new HashMap<>();
  private final ServedStates states = new ServedStates();
  private boolean begun;

  /** The last that Redis was seen to have. */
  private long mirrored = RedisMirror.NOTHING;

  /** Rows of {@code model} in {@code rows}, which is closed with this. */
  public MirroredRows(RedisRowStore rows, String model) {
    this.rows = rows;
    this.mirror = rows.mirror(model);
    this.model = model;
  }

  private boolean isOther(RowsView view) {
    return !view.model().equals(model);
  }

  @Override
  public boolean durable() {
    return rows.durable();
  }

  @Override
  public RowReader reader(RowsView view) {
    return rows.reader(view);
  }

  @Override
  public long version(RowsView view) {
    if (isOther(view)) {
      return rows.version(view);
    }
    synchronized (lock) {
      Seen seen = bundles.get(view.bundle());
      return seen == null ? 0 : seen.version;
    }
  }

  /**
   * Whether the rows of commit {@code sequence}, to {@code bundle}, have come.
   *
   * @throws StoreException if the store fails
   */
  public Arrival arrival(long sequence, long bundle) {
    boolean come;
    synchronized (lock) {
      Seen seen = bundles.get(bundle);
      if (seen != null && sequence <= seen.since) {
        return Arrival.BEFORE;
      }
      come = sequence <= mirrored;
    }
    if (!come) {
      long now = mirror.sequence();
      synchronized (lock) {
        mirrored = now;
        come = sequence <= now;
      }
    }
    return come ? Arrival.THERE : Arrival.AWAITED;
  }

  /** Up to which commit rows have come. */
  public long mirrored() {
    return mirror.sequence();
  }

  /** Moves to it; its rows have come. */
  @Override
  public void apply(RowCommit commit, List<StateChange> state) {
    RowsView view = commit.view();
    if (isOther(view)) {
      requireNone(state);
      rows.apply(commit);
      return;
    }
    synchronized (lock) {
      Seen seen = bundles.get(view.bundle());
      if (seen != null) {
        seen.version = view.version();
        Set<ServedStates.Place> _ = states.apply(view, state);
      } else { // Nobody asks for it: all that is of use is how far the model has come.
        Set<ServedStates.Place> _ =
            states.apply(
                view, state.stream().filter(one -> one.kind().owner(view).bundle() == 0).toList());
      }
    }
  }

  private static void requireNone(List<StateChange> state) {
    if (!state.isEmpty()) {
      throw new IllegalStateException("of another model nothing is remembered");
    }
  }

  private StoreException missing(long bundle) {
    return new StoreException(
        ("the rows of model '%s' version %d are not in Redis; the replica that trains brings them"
                + " there where wukong.cluster.mirror is set")
            .formatted(model, bundle),
        null);
  }

  @Override
  public BulkRows bulk(RowsView view, String digest, RowSample sample) {
    if (isOther(view)) {
      return rows.bulk(view, digest, sample);
    }
    throw missing(view.bundle());
  }

  @Override
  public void markImported(RowsView view, String digest) {
    if (!isOther(view)) {
      throw missing(view.bundle());
    }
    rows.markImported(view, digest);
  }

  /** Looks how far it has come, where it was not looked at before. */
  @Override
  public Optional<String> imported(RowsView view) {
    return isOther(view) || look(view) ? rows.imported(view) : Optional.empty();
  }

  private boolean look(RowsView view) {
    synchronized (lock) {
      begin();
      if (bundles.containsKey(view.bundle())) {
        return true;
      }
      RedisMirror.Held held = mirror.read().orElseThrow(() -> missing(view.bundle()));
      Long version = held.versions().get(view.bundle());
      if (version == null) {
        return false;
      }
      bundles.put(view.bundle(), new Seen(held.sequence(), version));
      for (StateKind kind : StateKind.values()) {
        ServedStates.Place place = new ServedStates.Place(view.bundle(), kind);
        if (kind.serves() && kind.owner(view).bundle() == view.bundle()) {
          states.take(place, held.states().bytes(place));
        }
      }
      return true;
    }
  }

  /** Begins where Redis is now; what was loaded before would miss commits. */
  private void begin() {
    if (begun) {
      return;
    }
    RedisMirror.Held held =
        mirror
            .read()
            .orElseThrow(
                () ->
                    new StoreException(
                        ("rows of model '%s' are not in Redis; the replica that trains brings them"
                                + " there where wukong.cluster.mirror is set")
                            .formatted(model),
                        null));
    ServedStates.Place cursor = new ServedStates.Place(0, StateKind.CURSOR);
    states.take(cursor, held.states().bytes(cursor));
    mirrored = held.sequence();
    begun = true;
  }

  @Override
  public List<byte @Nullable []> state(RowsView view, StateKind kind, long[] keys) {
    return in(view, kind, held -> held.read(kind, keys));
  }

  @Override
  public void forEachState(RowsView view, StateKind kind, StateReceiver receiver) {
    in(view, kind, held -> held.all(kind)).forEach(receiver::accept);
  }

  @Override
  public List<Remembered> states(RowsView view, StateKind kind, long after, int most) {
    return in(view, kind, held -> held.after(kind, after, most));
  }

  private <T> T in(RowsView view, StateKind kind, Function<HeapStates, T> look) {
    if (isOther(view)) {
      return look.apply(new HeapStates());
    }
    synchronized (lock) {
      // What was learned and the rows are of one commit, whichever is asked for first.
      begin();
      if (kind.owner(view).equals(view) && !look(view)) {
        throw missing(view.bundle());
      }
      return look.apply(states.of(view, kind));
    }
  }

  @Override
  public long[] rowKeys(RowsView view, long after, int most) {
    throw new StoreException("who serves rows from Redis cannot list them", null);
  }

  @Override
  public Set<RowsView> stored() {
    return rows.stored();
  }

  /** Only if nobody else uses it. */
  @Override
  public void drop(RowsView view) {
    if (isOther(view)) {
      rows.drop(view);
    } else {
      boolean _ = dropUnused(view);
    }
  }

  @Override
  public boolean dropUnused(RowsView view) {
    if (!isOther(view)) {
      synchronized (lock) {
        bundles.remove(view.bundle());
        states.forget(view.bundle());
      }
    }
    return rows.dropUnused(view);
  }

  @Override
  public void close() {
    rows.close();
  }
}
