package dev.wukong.figures;

import dev.wukong.config.Section;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.Pooling;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.ValueType;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.training.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** A model and a batch whose training step is timed. */
enum StepSize {
  D16(27, 16, 3, 1024, 16, 24, 512, "[512, 512]", 20),
  D128(27, 128, 3, 1024, 16, 24, 512, "[512, 512]", 5),
  D10(10, 10, 2, 4096, 8, 8, 400, "[400, 400]", 15);

  /** Ids of each feature. */
  static final int VOCABULARY = 10_000;

  static final int THREADS = 2;

  private final int features;
  private final int width;
  private final int layers;
  private final int batch;
  private final int embeddings;
  private final int rank;
  private final int hidden;
  private final String head;
  private final int steps;

  StepSize(
      int features,
      int width,
      int layers,
      int batch,
      int embeddings,
      int rank,
      int hidden,
      String head,
      int steps) {
    this.features = features;
    this.width = width;
    this.layers = layers;
    this.batch = batch;
    this.embeddings = embeddings;
    this.rank = rank;
    this.hidden = hidden;
    this.head = head;
    this.steps = steps;
  }

  /** As figures and options name it. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  int features() {
    return features;
  }

  int layers() {
    return layers;
  }

  int batch() {
    return batch;
  }

  /** Steps timed in one go. */
  int steps() {
    return steps;
  }

  /** Candidate features only, each of one int64 id. */
  Schema schema() {
    List<Feature> list = new ArrayList<>();
    for (int i = 0; i < features; i++) {
      String name = "f" + i;
      list.add(
          new IdFeature(
              name,
              Scope.CANDIDATE,
              name,
              ValueType.INT64,
              new IdMapping.Hash(VOCABULARY),
              name,
              1,
              Pooling.SUM,
              Optional.empty()));
    }
    return new Schema(
        "train-step",
        list,
        List.of(new Task("click", "click", Optional.empty(), Optional.empty())));
  }

  RankerConfig model() {
    return RankerConfig.read(
        yaml(
            """
            type: wukong
            embedding: {width: %d, deviation: 0.1}
            layers: %d
            fm_embeddings: %d
            linear_embeddings: %d
            rank: %d
            fm: low_rank
            fm_mlp: {hidden: [%d]}
            head: {hidden: %s}
            """
                .formatted(width, layers, embeddings, embeddings, rank, hidden, head)));
  }

  // Low rates: Adam enlarges the rounding of gradients near 0 to whole steps, so that at ten times
  // these rates even two of PyTorch's own Adams are 1.6e-4 apart after five steps.
  TrainingConfig training() {
    return TrainingConfig.read(
        yaml(
            """
            batch: %d
            seed: 2021
            threads: %d
            dense: {optimizer: adam, learning_rate: 0.0001}
            rows: {mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.002}
            """
                .formatted(batch, THREADS)));
  }

  private static Section yaml(String text) {
    return Section.of("train-step:", new YAMLMapper().readTree(text));
  }
}
