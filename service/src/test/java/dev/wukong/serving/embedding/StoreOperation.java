package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Something done to a row store, drawn from a seed and its number alone: so a process knows what
 * another one does. Three bundles of one model, with rows of two widths each.
 */
sealed interface StoreOperation {
  /** Ids of each width. */
  int IDS = 2500;

  int NARROW = 3;
  int WIDE = 8;

  /** Every key that a row can have, ascending: first those of narrow rows. */
  static long[] keys() {
    return LongStream.range(0, 2 * IDS).toArray();
  }

  /** How wide the row of {@code key} is, in every bundle. */
  static int width(long key) {
    return key < IDS ? NARROW : WIDE;
  }

  /** The bundles, each with the version 0. */
  static List<RowsView> bundles() {
    return LongStream.rangeClosed(1, 3).mapToObj(b -> new RowsView("random", b, 0)).toList();
  }

  /**
   * Sets and removes rows of both widths, and changes state; the version is the operation's number
   * and one.
   */
  record Commit(RowCommit commit, List<StateChange> state) implements StoreOperation {}

  /** Reads rows of both widths at the version that is the newest. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Read(RowsView bundle, long[] keys) implements StoreOperation {}

  /**
   * Writes a bundle anew, all at once.
   *
   * @param keys ascending
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Load(RowsView bundle, String digest, long[] keys, float[][] rows)
      implements StoreOperation {}

  /** Removes a bundle. */
  record Drop(RowsView bundle) implements StoreOperation {}

  /** Closes the store and opens it again. */
  record Reopen() implements StoreOperation {}

  /** What operation {@code number} of {@code seed} is. */
  static StoreOperation draw(long seed, int number) {
    SplittableRandom random = new SplittableRandom(seed * 1_000_003 + number);
    RowsView bundle = bundles().get(random.nextInt(bundles().size()));
    int kind = random.nextInt(1000);
    if (kind < 500) {
      RowCommit commit = commit(random, bundle, number + 1);
      return new Commit(commit, state(random, commit));
    }
    if (kind < 988) {
      return new Read(bundle, some(random, 0, 2 * IDS, 40));
    }
    if (kind < 993) {
      long[] keys = LongStream.of(keys()).filter(key -> random.nextInt(8) > 0).toArray();
      return new Load(bundle, "rows " + number, keys, loaded(seed, random, keys));
    }
    return kind < 997 ? new Drop(bundle) : new Reopen();
  }

  private static RowCommit commit(SplittableRandom random, RowsView bundle, int version) {
    return new RowCommit(
        new RowsView(bundle.model(), bundle.bundle(), version),
        List.of(
            changes(random, some(random, 0, IDS, 30), NARROW),
            changes(random, some(random, IDS, 2 * IDS, 30), WIDE)));
  }

  /** What has changed is remembered, what is removed forgotten; now and then all of a kind is. */
  private static List<StateChange> state(SplittableRandom random, RowCommit commit) {
    byte[] version = ByteBuffer.allocate(Long.BYTES).putLong(commit.view().version()).array();
    List<StateChange> state = new ArrayList<>();
    state.add(new StateChange.Put(StateKind.PROGRESS, 0, version));
    if (random.nextInt(20) == 0) {
      state.add(new StateChange.Clear(StateKind.SIGHTS_ODD));
    }
    for (RowCommit.Changes changes : commit.changes()) {
      for (long key : changes.keys()) {
        state.add(new StateChange.Put(StateKind.LIFE, key, version));
        state.add(new StateChange.Put(StateKind.SIGHTS_ODD, key, new byte[random.nextInt(3)]));
      }
      for (long key : changes.removed()) {
        state.add(new StateChange.Remove(StateKind.LIFE, key));
      }
    }
    return state;
  }

  /** The first fifth of the keys are removed. */
  private static RowCommit.Changes changes(SplittableRandom random, long[] keys, int width) {
    int removed = keys.length / 5;
    long[] set = Arrays.copyOfRange(keys, removed, keys.length);
    float[] rows = new float[set.length * width];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = random.nextFloat();
    }
    return new RowCommit.Changes(width, set, rows, Arrays.copyOf(keys, removed));
  }

  private static long[] some(SplittableRandom random, int from, int to, int most) {
    return random.longs(random.nextInt(most + 1), from, to).distinct().toArray();
  }

  /** Some loads are unlike any other, most have rows in common. */
  private static float[][] loaded(long seed, SplittableRandom random, long[] keys) {
    float[][] own = rows(random, keys);
    if (random.nextInt(4) == 0) {
      return own;
    }
    float[][] common = new float[keys.length][];
    for (int i = 0; i < keys.length; i++) {
      common[i] =
          random.nextInt(5) == 0
              ? own[i]
              : rows(new SplittableRandom(seed + keys[i]), new long[] {keys[i]})[0];
    }
    return common;
  }

  private static float[][] rows(SplittableRandom random, long[] keys) {
    float[][] rows = new float[keys.length][];
    for (int i = 0; i < keys.length; i++) {
      rows[i] = new float[width(keys[i])];
      for (int j = 0; j < rows[i].length; j++) {
        rows[i][j] = random.nextFloat();
      }
    }
    return rows;
  }
}
