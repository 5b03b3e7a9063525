package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Provenance;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Feature;
import dev.wukong.data.FeatureEncoder;
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
import dev.wukong.runtime.Device;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What an id takes that has no row. */
class MeanRowsTest {
  private static final int WIDTH = 2;

  private static final String MODEL =
      """
      type: wukong
      embedding: {width: 2, deviation: 0.1}
      layers: 1
      fm_embeddings: 2
      linear_embeddings: 2
      rank: 2
      fm_mlp: {hidden: [4]}
      head: {hidden: [4]}
      """;

  @TempDir private Path folder = Path.of("");

  private static final Schema SCHEMA =
      new Schema(
          "toy",
          List.<Feature>of(id("a"), id("b")),
          List.of(new Task("click", "click", Optional.empty(), Optional.empty())));

  private static IdFeature id(String name) {
    return new IdFeature(
        name,
        Scope.CANDIDATE,
        name,
        ValueType.INT64,
        new IdMapping.Hash(0),
        name,
        1,
        Pooling.MEAN,
        Optional.empty());
  }

  private static TrainSession session() {
    RankerConfig model = RankerConfig.read(TrainSessionTest.yaml(MODEL));
    InputLayout layout = model.layout(SCHEMA);
    TrainingConfig training =
        TrainingConfig.read(
            TrainSessionTest.yaml(
                "{batch: 8, threads: 1, rows: {mode: touched, learning_rate: 1}}"));
    return new TrainSession(model, layout, training, new Device.Cpu(), _ -> 0);
  }

  /** One example for each pair of ids. */
  private static EncodedExamples examples(long... ids) {
    int rows = ids.length / 2;
    float[] labels = new float[rows];
    float[] weights = new float[rows];
    for (int i = 0; i < rows; i++) {
      labels[i] = i % 2;
      weights[i] = 1;
    }
    return new EncodedExamples(
        new EncodedRows(0, new long[0], new float[0], new float[0]),
        new EncodedRows(rows, ids, new float[0], new float[0]),
        labels,
        weights);
  }

  /** The rows of ids {@link RowKey#FIRST} and above of each table, one after another. */
  private static List<List<float[]>> trained(TrainSession session) {
    List<List<float[]>> rows = List.of(new ArrayList<>(), new ArrayList<>());
    session
        .rows()
        .forEach(
            (table, id, row, _) -> {
              if (id >= RowKey.FIRST) {
                rows.get(table).add(row.clone());
              }
            });
    return rows;
  }

  private static void checkMean(float[] is, List<float[]> rows) {
    for (int i = 0; i < WIDTH; i++) {
      int at = i;
      double mean = rows.stream().mapToDouble(row -> row[at]).average().orElseThrow();
      assertThat((double) is[i]).isCloseTo(mean, within(1e-7));
    }
  }

  /** What an id of table {@code table} reads that training never met. */
  private static float[] unmet(TrainSession session, int table) {
    session.rows().bind(examples(1L << 40, 1L << 40), false);
    int[] slots = new int[2];
    session
        .rows()
        .slots(
            Scope.CANDIDATE,
            0,
            new EncodedRows(1, new long[] {1L << 40, 1L << 40}, new float[0], new float[0]),
            slots);
    FloatBuffer rows = session.rows().rows(0);
    float[] row = new float[WIDTH];
    rows.get(slots[table] * WIDTH, row);
    return row;
  }

  @Test
  void bind_idsThatTrainingNeverMet_readTheMeanOfThoseItMet() {
    try (TrainSession session = session()) {
      SplittableRandom random = new SplittableRandom(1);
      for (int step = 0; step < 3; step++) {
        long[] ids = random.longs(16, RowKey.FIRST, RowKey.FIRST + 9).toArray();
        session.step(examples(ids), 1);
        List<List<float[]>> trained = trained(session);
        for (int table = 0; table < 2; table++) {
          assertThat(trained.get(table)).hasSizeGreaterThan(3);
          checkMean(unmet(session, table), trained.get(table));
        }
      }
    }
  }

  @Test
  void export_aBundle_hasTheMeansAndScoresWithThem() throws Exception {
    try (TrainSession session = session()) {
      session.step(examples(5, 6, 7, 8, 9, 6, 5, 8), 1);
      EncodedExamples unmet = examples(1L << 40, 6, 5, 1L << 41);
      RankerConfig model = RankerConfig.read(TrainSessionTest.yaml(MODEL));
      ObjectNode any = JsonNodeFactory.instance.objectNode();
      Path written =
          BundleExport.write(
                  folder,
                  session,
                  model,
                  new FeatureEncoder(SCHEMA, Map.of()),
                  unmet,
                  new BundleExport.Comparison("test", List.of(unmet), 1),
                  new BundleExport.About(
                      "mean",
                      model.type(),
                      any,
                      any,
                      any,
                      new Provenance(1, List.of(), 1, "test", Map.of()),
                      Map.of(),
                      Instant.EPOCH))
              .folder();
      try (Bundle bundle = Bundle.open(written);
          BundleScorer scorer = new BundleScorer(bundle, new Device.Cpu(), 1)) {
        for (Table table : bundle.layout().tables()) {
          float[] byDefault =
              Objects.requireNonNull(bundle.manifest().defaultRows().get(table.name()));
          checkMean(byDefault, trained(session).get(table.ordinal()));
        }
        assertThat(scorer.score(unmet)).containsExactly(session.score(unmet), within(1e-6f));
      }
    }
  }

  @Test
  void rows_noIdMetInATable_isTheRowOfUnseenIds() {
    MeanRows means = new MeanRows(session().layout().tables());
    means.add(0, RowKey.UNSEEN, new float[] {1, 2});
    means.add(0, RowKey.MISSING, new float[] {3, 4});
    means.add(1, RowKey.UNSEEN, new float[] {1, 2});
    means.add(1, RowKey.MISSING, new float[] {3, 4});
    means.add(1, RowKey.FIRST, new float[] {5, 6});
    means.add(1, RowKey.FIRST + 7, new float[] {7, 6});

    assertThat(means.rows()).containsExactly(new float[] {1, 2}, new float[] {6, 6});
  }
}
