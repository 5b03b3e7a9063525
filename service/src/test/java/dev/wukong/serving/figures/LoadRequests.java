package dev.wukong.serving.figures;

import com.google.protobuf.UnsafeByteOperations;
import dev.wukong.data.Schema;
import dev.wukong.data.WireBlock;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.simulator.Zipf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Distinct requests whose ids follow a Zipf distribution over a model's rows, made once and sent
 * over and over.
 */
final class LoadRequests {
  /** Of one request. */
  static final int CANDIDATES = 500;

  static final double SKEW = 1.05;
  private static final long SEED = 20_261_128;

  private LoadRequests() {}

  /** {@code count} ordinary requests to {@code model} with {@code rows} rows in all tables. */
  static List<PredictRequest> of(LoadModel model, long rows, int count, Criticality criticality) {
    return of(
        model, LoadModel.schemaOf(rows), count, CANDIDATES, LoadModel.values(rows), criticality);
  }

  /** A block as the encoder takes it: ids are all it has. */
  static WireBlock wire(Block block) {
    ByteBuffer none = ByteBuffer.allocate(0);
    return new WireBlock(
        block.getRows(),
        none,
        block.getIds().asReadOnlyByteBuffer(),
        none,
        none,
        none,
        none,
        none,
        none);
  }

  /**
   * Requests of one context and {@code candidates} candidates each.
   *
   * @param values distinct values of a feature
   */
  static List<PredictRequest> of(
      LoadModel model,
      Schema schema,
      int count,
      int candidates,
      int values,
      Criticality criticality) {
    Zipf ranks = new Zipf(values, SKEW);
    SplittableRandom random = new SplittableRandom(SEED);
    List<PredictRequest> requests = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      requests.add(
          PredictRequest.newBuilder()
              .setModel(ModelSelector.newBuilder().setName(model.title()))
              .setSchemaId(schema.id())
              .setCriticality(criticality)
              .setContext(block(1, LoadModel.CONTEXT_FEATURES, ranks, random))
              .setCandidates(block(candidates, LoadModel.CANDIDATE_FEATURES, ranks, random))
              .build());
    }
    return requests;
  }

  private static Block block(int rows, int features, Zipf ranks, SplittableRandom random) {
    ByteBuffer ids =
        ByteBuffer.allocate(rows * features * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (ids.hasRemaining()) {
      ids.putLong(ranks.rank(random.nextDouble()));
    }
    return Block.newBuilder()
        .setRows(rows)
        .setIds(UnsafeByteOperations.unsafeWrap(ids.flip()))
        .build();
  }
}
