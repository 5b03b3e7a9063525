package dev.wukong.serving.figures;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.wukong.bundle.Bundle;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.IdColumns;
import dev.wukong.data.IdFeature;
import dev.wukong.data.InputNames;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferRequest.InferInputTensor;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.standalone.IdPositions;
import dev.wukong.standalone.StandaloneInputs;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;

/**
 * The requests of {@link LoadRequests} in the Open Inference Protocol, with the same values in raw
 * contents: for this server as they are, for a self-contained graph as positions of its rows.
 * Stateless.
 */
final class InferenceLoad {
  private InferenceLoad() {}

  /** For this server: the features' own values. */
  static ModelInferRequest ours(PredictRequest request, Schema schema) {
    ModelInferRequest.Builder result =
        ModelInferRequest.newBuilder().setModelName(request.getModel().getName());
    for (Scope scope : Scope.values()) {
      Block block = scope == Scope.CONTEXT ? request.getContext() : request.getCandidates();
      int size = block.getRows() * Long.BYTES;
      int from = 0;
      for (IdFeature feature : schema.ids(scope)) {
        add(
            result,
            scope.name().toLowerCase(Locale.ROOT) + "." + feature.name(),
            block.getRows(),
            block.getIds().substring(from, from + size));
        from += size;
      }
    }
    return result.addOutputs(probabilities()).build();
  }

  /**
   * For a self-contained graph of {@code bundle}, served as {@link Peer#MODEL}: what the server
   * would do to find the rows is done here.
   */
  static ModelInferRequest peers(PredictRequest request, Bundle bundle, StandaloneInputs inputs) {
    ModelInferRequest.Builder result = ModelInferRequest.newBuilder().setModelName(Peer.MODEL);
    int candidates = request.getCandidates().getRows();
    for (Scope scope : Scope.values()) {
      Block block = scope == Scope.CONTEXT ? request.getContext() : request.getCandidates();
      EncodedRows rows =
          bundle.encoder().encode(scope, LoadRequests.wire(block), new EncodingCounts());
      int stride = inputs.layout().positions(scope);
      for (IdColumns columns : inputs.features(scope)) {
        IdPositions positions = inputs.of(columns.feature().idSpace());
        int count = inputs.batchContext() ? candidates : rows.rows();
        ByteBuffer bytes = room(count * Long.BYTES);
        for (int row = 0; row < count; row++) {
          // The one context stands before every candidate where contexts are batched.
          int from = rows.rows() == 1 ? 0 : row;
          bytes.putLong(positions.position(rows.ids()[from * stride + columns.position()]));
        }
        add(result, InputNames.ids(columns.feature()), count, wrap(bytes));
      }
    }
    if (inputs.contextOf()) {
      result
          .addInputs(
              InferInputTensor.newBuilder()
                  .setName(InputNames.CONTEXT_OF)
                  .setDatatype("INT32")
                  .addShape(candidates))
          .addRawInputContents(wrap(room(candidates * Integer.BYTES).position(4 * candidates)));
    }
    return result.addOutputs(probabilities()).build();
  }

  private static ModelInferRequest.InferRequestedOutputTensor probabilities() {
    return ModelInferRequest.InferRequestedOutputTensor.newBuilder()
        .setName("probabilities")
        .build();
  }

  private static void add(
      ModelInferRequest.Builder request, String name, int rows, ByteString values) {
    request
        .addInputs(
            InferInputTensor.newBuilder()
                .setName(name)
                .setDatatype("INT64")
                .addShape(rows)
                .addShape(1))
        .addRawInputContents(values);
  }

  private static ByteBuffer room(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteString wrap(ByteBuffer bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes.flip());
  }
}
