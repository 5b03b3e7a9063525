package dev.wukong.serving.figures;

import com.google.protobuf.ByteString;
import dev.wukong.bundle.Provenance;
import dev.wukong.config.Section;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.runtime.Device;
import dev.wukong.training.BundleExport;
import dev.wukong.training.TrainSession;
import dev.wukong.training.TrainingConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A model of benchmarks that can learn further, and requests to it. Every value that ordinary
 * requests have has a row of its own, and no other value has one.
 */
final class LearningLoad {
  private static final int DISTINCT = 1000;
  private static final int MOST_STEPS = 1000;

  private static final String TRAINING =
      """
      batch: %d
      threads: 1
      dense: {optimizer: adam, learning_rate: 0.001}
      rows: {mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.02}
      """;

  private final LoadModel model;
  private final int values;
  private final int seenByClick;
  private final Schema schema = LoadModel.schema(0);

  /** A model with about {@code rows} rows in all tables. */
  LearningLoad(LoadModel model, long rows) {
    this(model, rows, UserReactions.SEEN_BY_CLICK);
  }

  /** The same of users who click one of so many that they see. */
  LearningLoad(LoadModel model, long rows, int seenByClick) {
    this.seenByClick = seenByClick;
    this.model = model;
    this.values = LoadModel.values(rows);
  }

  String title() {
    return model.title();
  }

  /** Ordinary requests. */
  List<PredictRequest> requests() {
    return LoadRequests.of(
        model, schema, DISTINCT, LoadRequests.CANDIDATES, values, Criticality.CRITICALITY_NORMAL);
  }

  /** A request of one candidate, one of whose values only the request of this number has. */
  PredictRequest unheard(int number) {
    ByteBuffer ids = room(1, LoadModel.CANDIDATE_FEATURES);
    for (int i = 0; i < LoadModel.CANDIDATE_FEATURES; i++) {
      ids.putLong(i * Long.BYTES, i == 0 ? (long) values + number : i);
    }
    PredictRequest like =
        LoadRequests.of(model, schema, 1, 1, values, Criticality.CRITICALITY_NORMAL).getFirst();
    return like.toBuilder().setCandidates(block(1, ids)).build();
  }

  /** Writes its first bundle, trained on every value. */
  void write(Path root) throws IOException {
    FeatureEncoder encoder = new FeatureEncoder(schema, Map.of());
    TrainingConfig training =
        TrainingConfig.read(Section.parse("training", TRAINING.formatted(values)));
    EncodedExamples all = examples(encoder);
    try (TrainSession session =
        new TrainSession(
            model.config(),
            model.config().layout(schema),
            training,
            new Device.Cpu(),
            _ -> {
              throw new IllegalStateException("only the rows of examples are trained");
            })) {
      train(session, all);
      BundleExport.write(
          root,
          session,
          model.config(),
          encoder,
          all.first(16),
          new BundleExport.Comparison("train", List.of(all), 1),
          about(training));
    }
  }

  /** Until it knows how often users click: or it would learn that in the first minutes of load. */
  private void train(TrainSession session, EncodedExamples all) {
    double rate = 1.0 / seenByClick;
    double chance = -rate * Math.log(rate) - (1 - rate) * Math.log1p(-rate);
    double loss = Double.MAX_VALUE;
    for (int step = 0; loss > 1.02 * chance; step++) {
      if (step == MOST_STEPS) {
        throw new IllegalStateException(
            "after %d steps the loss is %.4f".formatted(MOST_STEPS, loss));
      }
      loss = session.step(all, 1).loss();
    }
  }

  private EncodedExamples examples(FeatureEncoder encoder) {
    EncodedRows contexts = every(encoder, Scope.CONTEXT, LoadModel.CONTEXT_FEATURES);
    EncodedRows candidates = every(encoder, Scope.CANDIDATE, LoadModel.CANDIDATE_FEATURES);
    float[] labels = new float[values];
    for (int i = 0; i < values; i += seenByClick) {
      labels[i] = 1;
    }
    float[] weights = new float[values];
    Arrays.fill(weights, 1);
    return new EncodedExamples(contexts, candidates, labels, weights);
  }

  /** Rows that have every value of every feature once. */
  private EncodedRows every(FeatureEncoder encoder, Scope scope, int features) {
    ByteBuffer ids = room(values, features);
    for (int i = 0; i < features * values; i++) {
      ids.putLong(i * Long.BYTES, i % values);
    }
    return encoder.encode(scope, LoadRequests.wire(block(values, ids)), new EncodingCounts());
  }

  private static ByteBuffer room(int rows, int features) {
    return ByteBuffer.allocate(rows * features * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Block block(int rows, ByteBuffer ids) {
    return Block.newBuilder().setRows(rows).setIds(ByteString.copyFrom(ids)).build();
  }

  private BundleExport.About about(TrainingConfig training) {
    JsonNodeFactory json = JsonNodeFactory.instance;
    ObjectNode rows =
        json.objectNode()
            .put("optimizer", "row_wise_adagrad")
            .put("learning_rate", training.rows().optimizer().learningRate())
            .put("mode", "touched");
    return new BundleExport.About(
        model.title(),
        model.config().type(),
        model.config().toJson(),
        json.objectNode()
            .put("optimizer", "adam")
            .put("learning_rate", training.dense().learningRate()),
        rows,
        new Provenance(1, List.of(), values, "benchmark", Map.of()),
        Map.of(),
        Instant.EPOCH);
  }
}
