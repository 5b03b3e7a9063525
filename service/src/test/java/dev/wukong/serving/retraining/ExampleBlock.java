package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
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
      encoder.copy(Scope.CONTEXT, from.context(), 0, from.rows(), room.context(), at);
      encoder.copy(Scope.CANDIDATE, from.candidate(), 0, from.rows(), room.candidate(), at);
      at += from.rows();
    }
    return room.first(rows);
  }
}
