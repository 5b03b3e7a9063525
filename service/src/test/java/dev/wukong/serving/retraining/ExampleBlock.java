package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Scope;
import java.util.List;

/** Rows of several requests, to be scored together. One thread. */
final class ExampleBlock {
  private final FeatureEncoder encoder;
  private EncodedExamples room;

  /** An empty one for what {@code encoder} encodes. */
  ExampleBlock(FeatureEncoder encoder) {
    this.encoder = encoder;
    this.room = EncodedExamples.allocate(encoder, 1024);
  }

  /** The rows of {@code requests}, one after another; good until this is called again. */
  EncodedExamples of(List<TimedRequest> requests) {
    int rows = requests.stream().mapToInt(request -> request.rows().rows()).sum();
    if (rows > room.rows()) {
      room = EncodedExamples.allocate(encoder, rows);
    }
    int at = 0;
    for (TimedRequest request : requests) {
      EncodedExamples from = request.rows();
      copy(Scope.CONTEXT, from.context(), room.context(), from.rows(), at);
      copy(Scope.CANDIDATE, from.candidate(), room.candidate(), from.rows(), at);
      at += from.rows();
    }
    return room.first(rows);
  }

  private void copy(Scope scope, EncodedRows from, EncodedRows to, int rows, int at) {
    int ids = encoder.positions(scope);
    int numbers = encoder.denseWidth(scope);
    System.arraycopy(from.ids(), 0, to.ids(), at * ids, rows * ids);
    if (encoder.weighted(scope)) {
      System.arraycopy(from.weights(), 0, to.weights(), at * ids, rows * ids);
    }
    System.arraycopy(from.dense(), 0, to.dense(), at * numbers, rows * numbers);
  }
}
