package dev.wukong.serving.hosting;

import dev.wukong.config.Section;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.Task;
import dev.wukong.data.ValueType;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.testing.TinyGraph;
import dev.wukong.training.UntrainedBundle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A model that says by what it was answered. Each row's numbers follow from its key and from the
 * last commit that changed it, which its version alone decides: commit c changes every {@link
 * #EVERY}-th id, and each eighth commit removes them. The first logit is the sum of all rows'
 * numbers, the second that times the number of the dense weights, which each second commit brings.
 */
final class Stamps {
  static final int CONTEXT_FEATURES = 10;
  static final int CANDIDATE_FEATURES = 17;
  static final int WIDTH = 4;
  private static final int EVERY = 16;
  private static final int REMOVES = 8;

  private static final RankerConfig UNTRAINED =
      RankerConfig.read(
          Section.parse(
              "stamps",
              """
              type: wukong
              embedding: {width: 4}
              layers: 1
              fm_embeddings: 2
              linear_embeddings: 2
              rank: 2
              fm_mlp: {hidden: [4]}
              attention: {mlp: {hidden: [4]}}
              head: {hidden: [4]}
              """));

  private final int ids;
  private final InputLayout layout;

  /** Tables of {@code ids} rows each. */
  Stamps(int ids) {
    this.ids = ids;
    List<Feature> features = new ArrayList<>();
    Map<String, List<Integer>> widths = new HashMap<>();
    Optional<String> none = Optional.empty();
    for (int i = 0; i < CONTEXT_FEATURES + CANDIDATE_FEATURES; i++) {
      String name = "f" + i;
      features.add(
          new IdFeature(
              name,
              i < CONTEXT_FEATURES ? Scope.CONTEXT : Scope.CANDIDATE,
              name,
              ValueType.INT64,
              new IdMapping.Hash(ids),
              name,
              1,
              Pooling.SUM,
              none));
      widths.put(name, List.of(WIDTH));
    }
    List<Task> tasks =
        List.of(
            new Task("sum", "sum", Optional.empty(), Optional.empty()),
            new Task("dense", "dense", Optional.empty(), Optional.empty()));
    this.layout = InputLayout.of(new Schema("stamps", features, tasks), widths);
  }

  InputLayout layout() {
    return layout;
  }

  int ids() {
    return ids;
  }

  /** The row of keys that have none. */
  static float[] defaultRow() {
    return new float[] {0, 1, 2, 3};
  }

  /** All rows as imported. */
  RowCommit.Changes imported() {
    return new RowCommit.Changes(WIDTH, keys(0, 1), rows(keys(0, 1), 0), new long[0]);
  }

  /** What commit {@code version} changes. */
  List<RowCommit.Changes> changes(int version) {
    long[] keys = keys(version % EVERY, EVERY);
    return List.of(
        removes(version)
            ? new RowCommit.Changes(WIDTH, new long[0], new float[0], keys)
            : new RowCommit.Changes(WIDTH, keys, rows(keys, version), new long[0]));
  }

  private static boolean removes(int version) {
    return version % REMOVES == 5;
  }

  /** How many dense weights have come with the commits up to {@code version}. */
  static int dense(int version) {
    return version / 2;
  }

  /** The graph that commit {@code version} brings; null where it brings none. */
  byte @Nullable [] graph(int version) {
    return version % 2 == 0 ? graphOf(dense(version)) : null;
  }

  /** The graph with the dense weights {@code dense}. */
  byte[] graphOf(int dense) {
    return TinyGraph.of(layout, new float[] {1, dense});
  }

  private long[] keys(int from, int step) {
    List<Long> keys = new ArrayList<>();
    for (Table table : layout.tables()) {
      for (long id = from; id < ids; id += step) {
        keys.add(RowKey.of(table.ordinal(), id));
      }
    }
    return keys.stream().mapToLong(Long::longValue).toArray();
  }

  private static float[] rows(long[] keys, int version) {
    float[] rows = new float[keys.length * WIDTH];
    for (int i = 0; i < keys.length; i++) {
      for (int j = 0; j < WIDTH; j++) {
        rows[i * WIDTH + j] = stamp(keys[i], version) + j;
      }
    }
    return rows;
  }

  private static int stamp(long key, int version) {
    long mixed = (key * 0x9E3779B97F4A7C15L) ^ (version * 0xC2B2AE3D27D4EB4FL);
    return (int) ((mixed * 0x9E3779B97F4A7C15L) >>> 52);
  }

  /** The sum of the numbers that the row of {@code id} has for readers at {@code version}. */
  static int sum(int table, long id, int version) {
    int changed = version - Math.floorMod(version - (int) id, EVERY);
    int stamp = 0;
    if (changed <= 0) {
      stamp = stamp(RowKey.of(table, id), 0);
    } else if (!removes(changed)) {
      stamp = stamp(RowKey.of(table, id), changed);
    }
    return WIDTH * stamp + WIDTH * (WIDTH - 1) / 2;
  }

  /** Writes a bundle with rows for these tables, and a model that nobody trained. */
  Path write(Path root, String model, long version) throws IOException {
    return new UntrainedBundle(layout.schema(), UNTRAINED, ids()).write(root, model, version);
  }
}
