package dev.wukong.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.config.Section;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.ValueType;
import dev.wukong.graph.Flops;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Every model's weights, counted, against the "total number of parameters" in the public
 * benchmark's logs and in the paper's table 3; and its products against the paper's FLOPs.
 */
class PublishedSizesTest {
  /** Distinct values that train has of each field of Frappe. */
  private static final Map<String, Integer> FRAPPE =
      Map.of(
          "user",
          954,
          "item",
          4082,
          "daytime",
          7,
          "weekday",
          7,
          "isweekend",
          2,
          "homework",
          3,
          "cost",
          2,
          "weather",
          9,
          "country",
          80,
          "city",
          233);

  /** Distinct values of MovielensLatest's three fields together, whose models treat them alike. */
  private static final int MOVIELENS = 90_236;

  private static RankerConfig config(String type, String model) {
    return RankerConfig.read(
        Section.of("model", new YAMLMapper().readTree("{type: " + type + ", " + model + "}")));
  }

  private static InputLayout layout(RankerConfig config, Iterable<String> fields) {
    List<Feature> features = new ArrayList<>();
    for (String field : fields) {
      features.add(
          new IdFeature(
              field,
              Scope.CANDIDATE,
              field,
              ValueType.STRING,
              new IdMapping.Hash(9),
              field,
              1,
              Pooling.SUM,
              Optional.empty()));
    }
    return config.layout(
        new Schema(
            "published",
            features,
            List.of(new Task("click", "click", Optional.empty(), Optional.empty()))));
  }

  private static long dense(RankerConfig config, InputLayout layout) {
    return TrainGraph.of(config, layout).weights().keySet().stream()
        .mapToLong(weight -> weight.shape().elements().size())
        .sum();
  }

  /** {@code special}: ids a field has beside the values in train: unseen, in later logs padding. */
  private static long frappe(RankerConfig config, int special) {
    InputLayout layout = layout(config, FRAPPE.keySet());
    long rows =
        layout.tables().stream()
            .mapToLong(t -> (long) (FRAPPE.getOrDefault(t.idSpace(), 0) + special) * t.width())
            .sum();
    return dense(config, layout) + rows;
  }

  private static long movielens(RankerConfig config, int special) {
    List<String> fields = List.of("user", "movie", "tag");
    InputLayout layout = layout(config, fields);
    long widths = layout.tables().stream().mapToLong(t -> t.width()).sum() / fields.size();
    return dense(config, layout) + widths * (MOVIELENS + special * fields.size());
  }

  private static double megaflops(RankerConfig config, Iterable<String> fields) {
    long products =
        Flops.perExample(RankerGraphs.predict(config, layout(config, fields)), "B").products();
    return 3 * products / 1e6; // The paper counts training: forward, and twice that backward.
  }

  @ParameterizedTest(name = "{0} {2}")
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          afn;1;4482205;embedding: {width: 10}, log_neurons: 1000, afn: {hidden: [400]}, deep: {hidden: [400, 400, 400]}
          autoint;1;622180;embedding: {width: 10}, layers: 5, attention: 128, heads: 4, deep: {hidden: [400, 400, 400], batch_norm: true}
          dlrm;1;417891;embedding: {width: 10}, interaction: cat, top: {hidden: [400, 400, 400], batch_norm: true}
          dcnv2;1;458391;embedding: {width: 10}, layers: 4, deep: {hidden: [400, 400, 400], batch_norm: true}
          finalmlp;2;253392;embedding: {width: 10}, first: {hidden: [400], batch_norm: true}, second: {hidden: [100], batch_norm: true}, selection: {mlp: {hidden: [400]}, first: [user], second: [item]}, heads: 5
          masknet;1;571691;embedding: {width: 10}, blocks: [50, 50, 50], reduction: 2, embedding_norm: false, deep: {hidden: [400, 400, 400]}
          xdeepfm;1;429809;embedding: {width: 10}, cin: [64], deep: {hidden: [400, 400, 400], batch_norm: true}
          """)
  void frappe_benchmarksConfiguration_hasAsManyWeights(
      String type, int special, long published, String model) {
    assertThat(frappe(config(type, model), special)).isEqualTo(published);
  }

  @ParameterizedTest(name = "{0} {2}")
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          afn;1;3742791;embedding: {width: 10}, log_neurons: 800, afn: {hidden: [200]}, deep: {hidden: [400, 400, 400]}
          autoint;1;1383799;embedding: {width: 10}, layers: 2, attention: 128, heads: 4, linear: true, deep: {hidden: [400, 400, 400], batch_norm: true}
          dlrm;1;1238391;embedding: {width: 10}, interaction: cat, top: {hidden: [400, 400, 400], batch_norm: true}
          dcnv2;1;1243071;embedding: {width: 10}, layers: 5, deep: {hidden: [400, 400, 400], batch_norm: true}
          finalmlp;2;1040902;embedding: {width: 10}, first: {hidden: [400], batch_norm: true}, second: {hidden: [800], batch_norm: true}, selection: {mlp: {hidden: [800]}}, heads: 10
          masknet;1;2624541;embedding: {width: 10}, arrangement: serial, blocks: [400, 400, 400], reduction: 4, embedding_norm: false
          xdeepfm;1;1351767;embedding: {width: 10}, cin: [64, 64, 64], deep: {hidden: [400, 400, 400]}
          """)
  void movielens_benchmarksConfiguration_hasAsManyWeights(
      String type, int special, long published, String model) {
    assertThat(movielens(config(type, model), special)).isEqualTo(published);
  }

  /** The paper's counter skips convolutions, so that xDeepFM's FLOPs say nothing. */
  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          dlrm;1527073;4.99;embedding: {width: 128}, interaction: cat, top: {hidden: [400, 400, 400], batch_norm: true}
          dcnv2;7251073;39.35;embedding: {width: 128}, structure: cross_only, layers: 4
          finalmlp;3115954;10.66;embedding: {width: 128}, first: {hidden: [400], batch_norm: true}, second: {hidden: [100], batch_norm: true}, selection: {mlp: {hidden: [400]}, first: [user], second: [item]}, heads: 5
          masknet;21189593;122.92;embedding: {width: 128}, blocks: [100, 100, 100], reduction: 2, embedding_norm: false, deep: {hidden: [400, 400, 400]}
          xdeepfm;66206;0;embedding: {width: 10}, cin: [16, 16, 16], deep: {hidden: []}
          """)
  void frappe_papersConfiguration_hasAsManyWeightsAndFlops(
      String type, long published, double megaflops, String model) {
    RankerConfig config = config(type, model);
    assertThat(frappe(config, 2)).isEqualTo(published);
    if (megaflops > 0) {
      assertThat(megaflops(config, FRAPPE.keySet()))
          .isCloseTo(megaflops, within(0.002 * megaflops));
    }
  }

  /**
   * FinalMLP is left out: the paper's counter takes its gates, which have no context here, once an
   * example (0.81), and the graph makes them once a batch (0.42).
   */
  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          autoint;1293590;3.00;embedding: {width: 10}, layers: 2, attention: 128, heads: 4, deep: {hidden: [400, 400, 400], batch_norm: true}
          dlrm;1238421;1.99;embedding: {width: 10}, interaction: cat, top: {hidden: [400, 400, 400], batch_norm: true}
          dcnv2;1243101;2.02;embedding: {width: 10}, layers: 5, deep: {hidden: [400, 400, 400], batch_norm: true}
          masknet;2624571;10.30;embedding: {width: 10}, arrangement: serial, blocks: [400, 400, 400], reduction: 4, embedding_norm: false
          xdeepfm;994439;0;embedding: {width: 10}, cin: [16, 16, 16], deep: {hidden: []}
          """)
  void movielens_papersConfiguration_hasAsManyWeightsAndFlops(
      String type, long published, double megaflops, String model) {
    RankerConfig config = config(type, model);
    assertThat(movielens(config, 2)).isEqualTo(published);
    if (megaflops > 0) {
      assertThat(megaflops(config, List.of("user", "movie", "tag")))
          .isCloseTo(megaflops, within(0.004 * megaflops));
    }
  }
}
