package dev.wukong.serving.predict;

import com.google.protobuf.ByteString;
import dev.wukong.data.DataException;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Scope;
import dev.wukong.data.WireBlock;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.predict.ServingException.BadRequest;
import dev.wukong.serving.predict.ServingException.SchemaMismatch;
import dev.wukong.text.ShownText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Checks a request against a model's schema and the limits, and reads its columns where they lie.
 * Any thread.
 */
final class RequestDecoder {
  static final int MAX_REQUEST_ID = 128;

  private final PredictLimits limits;

  RequestDecoder(PredictLimits limits) {
    this.limits = limits;
  }

  /**
   * The query in {@code request}.
   *
   * @param room holds its rows, as long as the query is used
   * @throws ServingException naming the field, its value and what is allowed
   */
  Query decode(PredictRequest request, HostedModel model, RequestRoom room) {
    checkEnvelope(request, model);
    FeatureEncoder encoder = model.encoder();
    boolean hasContext = encoder.schema().hasContext();
    int candidates =
        rows("candidates", request.hasCandidates(), request.getCandidates(), limits.candidates());
    int contexts = 0;
    if (hasContext) {
      contexts = rows("context", request.hasContext(), request.getContext(), limits.contexts());
      if (contexts > candidates) {
        throw new BadRequest(
            "context.rows is %d; 1 to %d are allowed (no more than candidates)"
                .formatted(contexts, candidates));
      }
    } else if (request.hasContext()) {
      throw new BadRequest("context is set, but the schema has no context features: leave it out");
    }
    int[] contextOf = contextOf(request.getContextOf(), contexts, candidates);
    EncodingCounts counts = new EncodingCounts();
    try {
      EncodedRows context =
          hasContext
              ? encoder.encode(Scope.CONTEXT, wire(request.getContext()), counts, room.context)
              : encoder.allocate(Scope.CONTEXT, 0);
      EncodedRows candidate =
          encoder.encode(Scope.CANDIDATE, wire(request.getCandidates()), counts, room.candidates);
      room.context = context;
      room.candidates = candidate;
      return new Query(
          context,
          candidate,
          contextOf,
          (int) counts.unseen(),
          (int) counts.missing(),
          (int) counts.truncated());
    } catch (DataException e) {
      throw new BadRequest(String.valueOf(e.getMessage()));
    }
  }

  private static void checkEnvelope(PredictRequest request, HostedModel model) {
    checkLength("request_id", request.getRequestIdBytes());
    checkLength("routing_key", request.getRoutingKeyBytes());
    if (request.getCriticality() == Criticality.UNRECOGNIZED) {
      throw new BadRequest(
          "criticality is %d; 0 to 3 are allowed".formatted(request.getCriticalityValue()));
    }
    if (request.getSchemaId().isEmpty()) {
      throw new BadRequest(
          "schema_id is empty; that of model '%s' is %s".formatted(model.name(), model.schemaId()));
    }
    if (!request.getSchemaId().equals(model.schemaId())) {
      throw new SchemaMismatch(
          "schema_id is '%s'; that of model '%s' version %d is %s"
              .formatted(
                  ShownText.of(request.getSchemaId()),
                  model.name(),
                  model.bundle(),
                  model.schemaId()));
    }
  }

  private static void checkLength(String field, ByteString text) {
    if (text.size() > MAX_REQUEST_ID) {
      throw new BadRequest(
          "%s has %d bytes; up to %d are allowed".formatted(field, text.size(), MAX_REQUEST_ID));
    }
  }

  private static int rows(String field, boolean there, Block block, int limit) {
    if (!there) {
      throw new BadRequest(
          "%s is missing; a block of 1 to %d rows is needed".formatted(field, limit));
    }
    if (block.getRows() < 1 || block.getRows() > limit) {
      throw new BadRequest(PredictLimits.wrongRows(field, block.getRows(), limit));
    }
    return block.getRows();
  }

  private static int[] contextOf(ByteString bytes, int contexts, int candidates) {
    if (contexts == 0) {
      if (!bytes.isEmpty()) {
        throw new BadRequest(
            "context_of has %d bytes, but the schema has no context features: leave it out"
                .formatted(bytes.size()));
      }
      return new int[0];
    }
    int[] contextOf = new int[candidates];
    if (bytes.isEmpty()) {
      if (contexts > 1) {
        throw new BadRequest(
            ("context_of is empty, but there are %d contexts;"
                    + " %d bytes (int32 a candidate) are needed")
                .formatted(contexts, 4L * candidates));
      }
      return contextOf;
    }
    if (bytes.size() != 4L * candidates) {
      throw new BadRequest(
          "context_of has %d bytes; %d are needed (int32 for each of %d candidates)"
              .formatted(bytes.size(), 4L * candidates, candidates));
    }
    bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(contextOf);
    for (int i = 0; i < candidates; i++) {
      if (contextOf[i] < 0 || contextOf[i] >= contexts) {
        throw new BadRequest(
            "context_of[%d] is %d; 0 to %d are allowed".formatted(i, contextOf[i], contexts - 1));
      }
    }
    return contextOf;
  }

  private static WireBlock wire(Block block) {
    return new WireBlock(
        block.getRows(),
        buffer(block.getCounts()),
        buffer(block.getIds()),
        buffer(block.getStringLengths()),
        buffer(block.getStrings()),
        buffer(block.getNumbers()),
        buffer(block.getWeights()),
        buffer(block.getDense()),
        buffer(block.getPresent()));
  }

  private static ByteBuffer buffer(ByteString bytes) {
    return bytes.asReadOnlyByteBuffer();
  }
}
