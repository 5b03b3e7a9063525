package dev.wukong.serving.embedding;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Does operations on a row store. */
final class StoreActions {
  private StoreActions() {}

  /** Does {@code operation}, which is not one that opens a store; of a read, what it found. */
  static int perform(StateStore store, StoreOperation operation) {
    switch (operation) {
      case StoreOperation.Commit(RowCommit commit, List<StateChange> state) ->
          store.apply(commit, state);
      case StoreOperation.Load load -> load(store, load);
      case StoreOperation.Drop(RowsView bundle) -> store.drop(bundle);
      case StoreOperation.Read(RowsView bundle, long[] keys) -> {
        return Arrays.deepHashCode(read(store, bundle, keys));
      }
      case StoreOperation.Reopen _ -> {}
    }
    return 0;
  }

  /** Writes all rows of a bundle; goes on with them where the same load was cut short. */
  static void load(RowStore store, StoreOperation.Load load) {
    try (BulkRows bulk = store.bulk(load.bundle(), load.digest(), () -> rows(load))) {
      for (int i = 0; i < load.keys().length; i++) {
        long key = load.keys()[i];
        bulk.add(StoreOperation.width(key), new long[] {key}, 1, load.rows()[i]);
      }
      bulk.finish();
    }
  }

  private static List<RowSample.Rows> rows(StoreOperation.Load load) {
    return IntStream.range(0, load.keys().length)
        .mapToObj(
            i -> {
              long key = load.keys()[i];
              return new RowSample.Rows(
                  StoreOperation.width(key), new long[] {key}, load.rows()[i]);
            })
        .toList();
  }

  /** The rows of these keys at the newest version, null where there is none. */
  static float[] @Nullable [] read(RowStore store, RowsView bundle, long[] keys) {
    RowsView view = new RowsView(bundle.model(), bundle.bundle(), store.version(bundle));
    float[] @Nullable [] rows = new float[keys.length] @Nullable [];
    try (RowReader reader = store.reader(view)) {
      for (int width : new int[] {StoreOperation.NARROW, StoreOperation.WIDE}) {
        int[] at = positions(keys, width);
        long[] own = Arrays.stream(at).mapToLong(i -> keys[i]).toArray();
        float[] out = new float[own.length * width];
        RowFate[] fates = new RowFate[own.length];
        reader.read(width, own, own.length, out, fates);
        for (int i = 0; i < own.length; i++) {
          rows[at[i]] =
              switch (fates[i]) {
                case FOUND -> Arrays.copyOfRange(out, i * width, (i + 1) * width);
                case ABSENT -> null;
                case UNREAD ->
                    throw new IllegalStateException("row %d is unread".formatted(own[i]));
              };
        }
      }
    }
    return rows;
  }

  private static int[] positions(long[] keys, int width) {
    int[] positions = new int[keys.length];
    int count = 0;
    for (int i = 0; i < keys.length; i++) {
      if (StoreOperation.width(keys[i]) == width) {
        positions[count++] = i;
      }
    }
    return Arrays.copyOf(positions, count);
  }
}
