package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.testing.RedisCluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Rows of width 1 that tests write to a Redis cluster, and look at. */
final class RedisRows {
  static final RowsView VIEW = RowStoreContract.VIEW;

  static final long[] MANY = LongStream.range(0, 2000).toArray();

  private RedisRows() {}

  /** A store whose prefix is the name of {@code folder}, so that each test has one of its own. */
  static RedisRowStore open(RedisCluster cluster, Path folder, Duration timeout) {
    return RedisRowStore.open(settings(cluster, folder, timeout));
  }

  static RedisSettings settings(RedisCluster cluster, Path folder, Duration timeout) {
    return new RedisSettings(
        cluster.addresses(), prefix(folder), "", "", Optional.empty(), timeout);
  }

  static String prefix(Path folder) {
    String name = folder.getFileName().toString();
    return name.substring(Math.max(0, name.length() - 32));
  }

  static RowsView at(long version) {
    return new RowsView(VIEW.model(), VIEW.bundle(), version);
  }

  static RowCommit commit(long version, long[] keys, float[] rows, long... removed) {
    return new RowCommit(at(version), List.of(new RowCommit.Changes(1, keys, rows, removed)));
  }

  /** Whether it could be written now. */
  static boolean applied(RowStore store, RowCommit commit) {
    try {
      store.apply(commit);
      return true;
    } catch (StoreException e) {
      return false;
    }
  }

  /** What a reader sees: a row's float, null where there is none, NaN where it is not read. */
  static @Nullable Float[] see(RowReader reader, long... keys) {
    float[] rows = new float[keys.length];
    RowFate[] fates = new RowFate[keys.length];
    reader.read(1, keys, keys.length, rows, fates);
    @Nullable Float[] seen = new @Nullable Float[keys.length];
    for (int i = 0; i < keys.length; i++) {
      seen[i] =
          switch (fates[i]) {
            case FOUND -> rows[i];
            case ABSENT -> null;
            case UNREAD -> Float.NaN;
          };
    }
    return seen;
  }

  static float[] rowsOf(long[] keys, float add) {
    float[] rows = new float[keys.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = keys[i] + add;
    }
    return rows;
  }

  /** How many of {@link #MANY} were read; each of them must be right. */
  static long readMany(RowReader reader, float add) {
    @Nullable Float[] seen = see(reader, MANY);
    for (int i = 0; i < seen.length; i++) {
      assertThat(seen[i]).isIn(MANY[i] + add, Float.NaN);
    }
    return Arrays.stream(seen).filter(row -> row != null && !row.isNaN()).count();
  }

  /** Loads {@link #MANY}. */
  static void load(RowStore store) {
    load(store, "digest", 0);
  }

  static void load(RowStore store, String digest, float add) {
    try (BulkRows bulk = store.bulk(VIEW, digest)) {
      bulk.add(1, MANY, MANY.length, rowsOf(MANY, add));
      bulk.finish();
    }
  }
}
