package dev.wukong.training;

import dev.wukong.ranker.RankerConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every model takes what a schema may have (contexts, several values, weights, vectors with a
 * presence column, two tasks) and trains in the graph as on the host, several steps a run.
 */
class BaselineStepsTest {
  private static final String TRAINING =
      """
      dense: {optimizer: sgd, learning_rate: 0.04}
      rows: {mode: whole_table, optimizer: sgd, learning_rate: 0.3, l2: 0.01}
      clip_norm: 0.5
      """;

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          afn; log_neurons: 5, afn: {hidden: [7], dropout: 0.2}, deep: {hidden: [6]}
          afn; log_neurons: 5, afn: {hidden: [7]}, deep: {hidden: []}
          autoint; layers: 2, attention: 6, heads: 2, dropout: 0.2, linear: true, deep: {hidden: [7]}
          dcnv2; layers: 2, deep: {hidden: [7, 5], batch_norm: true}
          dcnv2; layers: 2, rank: 2, experts: 2, structure: stacked, deep: {hidden: [7], dropout: 0.3}
          dlrm; top: {hidden: [7]}, embedding: {width: 4, counts: {item: 2}, widths: {tags: 3}, bottom: {hidden: [5]}, deviation: 0.3}
          dlrm; interaction: cat, top: {hidden: [7]}, embedding: {width: 4, numbers: each, deviation: 0.3}
          finalmlp; first: {hidden: [6], batch_norm: true}, second: {hidden: [4]}, selection: {mlp: {hidden: [7]}, first: [user, seen], second: [item, user]}, heads: 2
          masknet; blocks: [6, 5], dropout: 0.2, deep: {hidden: [7]}
          masknet; arrangement: serial, blocks: [6, 5]
          wukong; fm_block: false, fm_embeddings: 2, linear_embeddings: 3, head: {hidden: [6]}
          wukong; linear_block: false, fm_embeddings: 2, linear_embeddings: 2, head: {hidden: [6]}
          wukong; fm_block: false, residual: false, fm_embeddings: 1, linear_embeddings: 2, head: {hidden: [6]}
          xdeepfm; cin: [3, 2], deep: {hidden: [7], batch_norm: true}
          """)
  void stepsInTheGraph_everyModel_followTheHost(String type, String rest) {
    String embedding = rest.contains("embedding:") ? "" : "embedding: {width: 4, deviation: 0.3}, ";
    RankerConfig model =
        RankerConfig.read(TrainSessionTest.yaml("{type: " + type + ", " + embedding + rest + "}"));
    // The logarithm's slope is 1 / |x|: at other steps it would stretch rounding errors a lot.
    String training =
        type.equals("afn") ? TRAINING.replace("0.3,", "0.0001,").replace("0.04", "0.02") : TRAINING;
    GraphStepperTest.check(model, training, "optimizer_in: graph\nsteps_per_run: 4");
    GraphStepperTest.check(model, training, "optimizer_in: device\nsteps_per_run: 4");
  }
}
