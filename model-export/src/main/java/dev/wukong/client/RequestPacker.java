package dev.wukong.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.wukong.data.BlockWriter;
import dev.wukong.data.DataException;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.WireBlock;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.PredictRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Packs raw values into requests by a schema. Immutable, any thread. */
public final class RequestPacker {
  private final String model;
  private final Schema schema;
  private final String schemaId;
  private final boolean hasContext;

  /**
   * A packer of requests to {@code model}, whose features {@code schema} has.
   *
   * @param model may be empty where the server has one model only
   */
  public RequestPacker(String model, Schema schema) {
    this.model = model;
    this.schema = schema;
    this.schemaId = schema.id();
    this.hasContext = schema.hasContext();
  }

  /**
   * A request for one context and its candidates.
   *
   * @param context values by column name; empty where the schema has no context features
   * @param candidates values by column name, one map a candidate: a String, Number or Boolean, a
   *     List of these for several values, null or left out where absent
   * @throws DataException if a value does not fit its feature
   */
  public PredictRequest pack(Map<String, ?> context, List<? extends Map<String, ?>> candidates) {
    PredictRequest.Builder request = envelope();
    if (hasContext) {
      request.setContext(block(Scope.CONTEXT, "context", List.of(context)));
    }
    return request.setCandidates(block(Scope.CANDIDATE, "candidates", candidates)).build();
  }

  private Block block(Scope scope, String name, List<? extends Map<String, ?>> values) {
    try (ValueRows rows = new ValueRows(name, scope == Scope.CANDIDATE, columns(scope), values)) {
      BlockWriter writer = new BlockWriter(schema, scope, rows);
      while (rows.next()) {
        writer.add();
      }
      return block(writer.take());
    }
  }

  private List<String> columns(Scope scope) {
    List<String> columns = new ArrayList<>();
    for (Feature feature : schema.features()) {
      if (feature.scope() == scope) {
        columns.add(feature.column());
        if (feature instanceof IdFeature ids) {
          ids.weightColumn().ifPresent(columns::add);
        }
      }
    }
    return columns;
  }

  /**
   * A reader of requests of up to {@code maxRows} candidates from rows that each hold a candidate
   * and its context.
   */
  public Rows rows(RowSource source, int maxRows) {
    return new Rows(source, maxRows);
  }

  /** Requests from the rows of a source, in order. Not thread-safe. */
  public final class Rows {
    private final RowSource source;
    private final int maxRows;
    private final BlockWriter context;
    private final BlockWriter candidates;

    private Rows(RowSource source, int maxRows) {
      this.source = source;
      this.maxRows = maxRows;
      this.context = new BlockWriter(schema, Scope.CONTEXT, source);
      this.candidates = new BlockWriter(schema, Scope.CANDIDATE, source);
    }

    /**
     * The request with the next rows; none is left where it has no candidates.
     *
     * @throws DataException if a value does not fit its feature
     */
    public PredictRequest next() {
      ByteBuffer contextOf =
          ByteBuffer.allocate(Math.multiplyExact(4, maxRows)).order(ByteOrder.LITTLE_ENDIAN);
      int rows = 0;
      while (rows < maxRows && source.next()) {
        if (hasContext) {
          context.add();
          contextOf.putInt(rows);
        }
        candidates.add();
        rows++;
      }
      PredictRequest.Builder request = envelope();
      if (rows == 0) {
        return request.build();
      }
      if (hasContext) {
        request
            .setContext(block(context.take()))
            .setContextOf(ByteString.copyFrom(contextOf.flip()));
      }
      return request.setCandidates(block(candidates.take())).build();
    }
  }

  private PredictRequest.Builder envelope() {
    return PredictRequest.newBuilder()
        .setModel(ModelSelector.newBuilder().setName(model))
        .setSchemaId(schemaId);
  }

  private static Block block(WireBlock wire) {
    return Block.newBuilder()
        .setRows(wire.rows())
        .setCounts(UnsafeByteOperations.unsafeWrap(wire.counts()))
        .setIds(UnsafeByteOperations.unsafeWrap(wire.ids()))
        .setStringLengths(UnsafeByteOperations.unsafeWrap(wire.stringLengths()))
        .setStrings(UnsafeByteOperations.unsafeWrap(wire.strings()))
        .setNumbers(UnsafeByteOperations.unsafeWrap(wire.numbers()))
        .setWeights(UnsafeByteOperations.unsafeWrap(wire.weights()))
        .setDense(UnsafeByteOperations.unsafeWrap(wire.dense()))
        .setPresent(UnsafeByteOperations.unsafeWrap(wire.present()))
        .build();
  }
}
