package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * The healthy states that are kept: the newest, and older ones further and further apart. Of each
 * its dense weights; what rows were, {@link Undo} knows. The training thread's.
 */
final class Generations {
  /** Of states up to such an age, and beyond the one before, the oldest is kept. */
  private static final List<Duration> AGES =
      List.of(
          Duration.ofMinutes(10),
          Duration.ofHours(1),
          Duration.ofHours(3),
          Duration.ofHours(12),
          Duration.ofDays(1));

  private static final int PIECES = 16;

  /** Where {@link Undo} keeps how far it has come; beside what admission and expiry keep. */
  private static final long LOOKED_AT = 2;

  private final StateStore store;
  private final RowsView view;
  private final List<Generation> kept = new ArrayList<>();
  private long lookedAt;

  /**
   * Those that the last commit left; none where there was none.
   *
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  Generations(StateStore store, RowsView view) {
    this.store = store;
    this.view = view;
    kept.addAll(read(store, view));
    byte[] at = store.state(view, StateKind.PROGRESS, new long[] {LOOKED_AT}).getFirst();
    lookedAt = at == null ? -1 : ByteBuffer.wrap(at).getLong();
  }

  /** Those in {@code store}, by ascending number. */
  static List<Generation> read(StateStore store, RowsView view) {
    List<Generation> found = new ArrayList<>();
    long after = -1;
    while (true) {
      List<StateStore.Remembered> next = store.states(view, StateKind.HEALTHY, after, 1);
      if (next.isEmpty()) {
        return found;
      }
      Generation generation = Generation.of(next.getFirst().value());
      found.add(generation);
      after = piece(generation.number() + 1, 0) - 1;
    }
  }

  private static long piece(long number, long piece) {
    return (number << PIECES) + piece;
  }

  /** Whether there is one at all. */
  boolean isEmpty() {
    return kept.isEmpty();
  }

  /** Those that are kept, by ascending number. */
  List<Generation> all() {
    return List.copyOf(kept);
  }

  /** Their numbers, ascending. */
  List<Long> numbers() {
    return kept.stream().map(Generation::number).toList();
  }

  /** The number of the last healthy state. */
  long newest() {
    return kept.isEmpty() ? 0 : kept.getLast().number();
  }

  /** The last healthy state; there must be one. */
  Generation last() {
    return kept.getLast();
  }

  /** One that is kept; empty where it is not. */
  Optional<Generation> of(long number) {
    return kept.stream().filter(generation -> generation.number() == number).findFirst();
  }

  /** The dense weights of one that is kept, with what their optimizer keeps. */
  Map<String, float[]> dense(Generation generation) {
    return dense(store, view, generation);
  }

  /** The same without the others. */
  static Map<String, float[]> dense(StateStore store, RowsView view, Generation generation) {
    long[] keys =
        LongStream.rangeClosed(1, generation.pieces())
            .map(piece -> piece(generation.number(), piece))
            .toArray();
    return DenseState.read(store.state(view, StateKind.HEALTHY, keys));
  }

  /** Adds one, the newest, and lets go of others that are not needed for it. */
  void add(Generation generation, Map<String, float[]> dense, List<StateChange> state) {
    List<byte[]> pieces = DenseState.pieces(dense);
    Generation added = generation.of(pieces.size());
    kept.add(added);
    state.add(new StateChange.Put(StateKind.HEALTHY, piece(added.number(), 0), added.bytes()));
    for (int i = 0; i < pieces.size(); i++) {
      state.add(
          new StateChange.Put(StateKind.HEALTHY, piece(added.number(), i + 1), pieces.get(i)));
    }
    Set<Long> wanted = wanted(generation.atMs());
    for (Generation other : List.copyOf(kept)) {
      if (!wanted.contains(other.number())) {
        drop(other, state);
      }
    }
  }

  private Set<Long> wanted(long nowMs) {
    Set<Long> wanted = new HashSet<>();
    wanted.add(newest());
    long from = 0;
    for (Duration age : AGES) {
      long least = from;
      long most = age.toMillis();
      kept.stream()
          .filter(g -> nowMs - g.atMs() >= least && nowMs - g.atMs() < most)
          .findFirst()
          .ifPresent(oldest -> wanted.add(oldest.number()));
      from = most;
    }
    return wanted;
  }

  private void drop(Generation generation, List<StateChange> state) {
    kept.remove(generation);
    for (int piece = 0; piece <= generation.pieces(); piece++) {
      state.add(new StateChange.Remove(StateKind.HEALTHY, piece(generation.number(), piece)));
    }
  }

  /** Lets go of those after {@code number}: all is as it was in that one. */
  void backTo(long number, List<StateChange> state) {
    for (Generation other : List.copyOf(kept)) {
      if (other.number() > number) {
        drop(other, state);
      }
    }
  }

  /** The last key whose memories were looked at; -1: none in this pass. */
  long lookedAt() {
    return lookedAt;
  }

  void lookedAt(long key) {
    lookedAt = key;
  }

  /** How far {@link Undo} has come, to be written with each commit. */
  StateChange progress() {
    return new StateChange.Put(
        StateKind.PROGRESS, LOOKED_AT, ByteBuffer.allocate(Long.BYTES).putLong(lookedAt).array());
  }
}
