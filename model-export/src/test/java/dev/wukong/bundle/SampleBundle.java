package dev.wukong.bundle;

import com.google.protobuf.ByteString;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.ValueInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A small bundle with every kind of file in it: two tables, weights, rows in parts, state, a
 * vocabulary, three graphs.
 */
final class SampleBundle {
  static final String MODEL = "clicks";
  static final int OPSET = 20;

  /** So small that every row is a part of its own. */
  static final long TINY_PARTS = 1;

  private SampleBundle() {}

  static Schema schema() {
    List<Feature> features =
        List.of(
            new IdFeature(
                "user",
                Scope.CONTEXT,
                "user",
                ValueType.INT64,
                new IdMapping.Hash(0),
                "user",
                1,
                Pooling.SUM,
                Optional.empty()),
            new IdFeature(
                "seen",
                Scope.CONTEXT,
                "seen",
                ValueType.STRING,
                new IdMapping.Vocabulary(2),
                "item",
                3,
                Pooling.MEAN,
                Optional.of("seen_weight")),
            new IdFeature(
                "hour",
                Scope.CONTEXT,
                "hour",
                ValueType.INT64,
                new IdMapping.Buckets(List.of(6.0, 12.5)),
                "hour",
                1,
                Pooling.SUM,
                Optional.empty()),
            new NumberFeature("age", Scope.CONTEXT, "age", 1, Transform.LOG1P, true),
            new IdFeature(
                "item",
                Scope.CANDIDATE,
                "item",
                ValueType.STRING,
                new IdMapping.Vocabulary(2),
                "item",
                1,
                Pooling.SUM,
                Optional.empty()),
            new NumberFeature("price", Scope.CANDIDATE, "price", 2, Transform.NONE, false));
    List<Task> tasks =
        List.of(
            new Task("click", "clicked", Optional.empty(), Optional.empty()),
            new Task("like", "stars", Optional.of(3.5), Optional.of("stars_weight")));
    return new Schema("sample", features, tasks);
  }

  static Map<String, List<Integer>> widths() {
    return Map.of("user", List.of(2), "seen", List.of(4), "item", List.of(4), "hour", List.of(2));
  }

  static GoldenRows golden() {
    long none = RowKey.NONE;
    return new GoldenRows(
        new EncodedRows(
            2,
            new long[] {7, 2, 3, none, 2, RowKey.UNSEEN, 4, none, none, 3},
            new float[] {1, 0.5f, 0.1f, 0, 1, 1, 2, 0, 0, 1},
            new float[] {33, 1, 0, 0}),
        new EncodedRows(
            3, new long[] {2, 3, RowKey.UNSEEN}, new float[0], new float[] {1, 2, 3, 4, 5, 6}),
        new int[] {0, 0, 1},
        new float[] {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, Float.MIN_VALUE},
        1e-5);
  }

  static ManifestDraft draft() {
    ObjectNode hyperparameters = JsonNodeFactory.instance.objectNode();
    hyperparameters.put("layers", 2).putArray("hidden").add(16).add(8);
    ObjectNode adam = JsonNodeFactory.instance.objectNode().put("type", "adam");
    ObjectNode adagrad = JsonNodeFactory.instance.objectNode().put("type", "adagrad");
    return new ManifestDraft(
        Instant.parse("2026-01-02T03:04:05Z"),
        schema(),
        widths(),
        new Network("wukong", hyperparameters),
        OPSET,
        new Optimizers(adam, adagrad),
        new Provenance(42, List.of("train.csv"), 1000, "train --seed 42", Map.of("java", "25")),
        Map.of("test", Map.of("click", Map.of("auc", 0.75, "logloss", 0.5))),
        Map.of("user", new float[] {0.1f, -0.1f}, "item", new float[4], "hour", new float[2]),
        golden(),
        Map.of(Precision.FP16, half()));
  }

  static ReducedGraph half() {
    Map<String, Double> click = Map.of("auc", 0.75, "logloss", 0.5);
    Map<String, Double> like = Map.of("logloss", 0.25); // One class only: no AUC.
    return new ReducedGraph(
        0.01,
        0.001,
        new ReducedGraph.Measured(
            "valid",
            1000,
            0.002,
            Map.of("click", click, "like", like),
            Map.of("click", Map.of("auc", 0.74, "logloss", 0.51), "like", like)));
  }

  static Table table(String name) {
    return draft().layout().tables().stream()
        .filter(t -> t.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** Fills a writer with everything but the manifest. */
  static void fill(BundleWriter writer) throws IOException {
    writer.file("predict.onnx", graph("Relu").toByteArray());
    writer.file("predict.fp16.onnx", graph("Relu").toByteArray());
    writer.file("train.onnx", graph("Sigmoid").toByteArray());
    writer.vocabularies(Map.of("item", List.of("tea", "naïve \"quote\"", "größe")));
    writer.dense(
        Map.of(
            "w", FloatTensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3),
            "adam.step", FloatTensor.of(new float[] {7})));
    Table user = table("user");
    writer.rows(user, new long[] {0, 1, 7}, new float[] {0, 1, 2, 3, 4, 5});
    writer.rows(user, new long[] {RowKey.ID_LIMIT - 1}, new float[] {6, 7});
    writer.rowState(user, new long[] {0, 7}, Map.of("sum", new float[] {1, 2}));
    writer.rows(table("item"), new long[] {2}, new float[] {1, 2, 3, 4});
  }

  /** Writes version 1 of the model, or the next one. */
  static Path write(Path root) throws IOException {
    try (BundleWriter writer = BundleWriter.create(root, MODEL, 0, TINY_PARTS)) {
      fill(writer);
      return writer.finish(draft());
    }
  }

  /** A model with one operator on a weight of two floats. */
  static ModelProto graph(String operator) {
    return model(
        GraphProto.newBuilder()
            .setName("g")
            .addInput(ValueInfo.newBuilder().setName("x"))
            .addOutput(ValueInfo.newBuilder().setName("y"))
            .addInitializer(weights())
            .addNode(node(operator))
            .build());
  }

  static ModelProto model(GraphProto graph) {
    return ModelProto.newBuilder()
        .setIrVersion(9)
        .addOpsetImport(OperatorSetId.newBuilder().setVersion(OPSET))
        .setGraph(graph)
        .build();
  }

  static NodeProto node(String operator) {
    return NodeProto.newBuilder()
        .setName("n")
        .setOpType(operator)
        .addInput("x")
        .addOutput("y")
        .build();
  }

  static TensorProto weights() {
    ByteBuffer raw = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(2);
    return TensorProto.newBuilder()
        .setName("w")
        .setDataType(1)
        .addDims(2)
        .setRawData(ByteString.copyFrom(raw.flip()))
        .build();
  }
}
