package dev.wukong.serving.inference;

import com.google.protobuf.ByteString;
import dev.wukong.proto.v1.PredictResponse;
import java.util.Arrays;
import java.util.stream.Collectors;

/** The tensors that every model gives, float32 [candidates, tasks], in the order of answers. */
enum Output {
  PROBABILITIES("probabilities"),
  LOGITS("logits");

  /** All names, for messages. */
  static final String NAMES =
      Arrays.stream(values()).map(Output::key).collect(Collectors.joining(", "));

  private final String key;

  Output(String key) {
    this.key = key;
  }

  /** Its name in the protocol. */
  String key() {
    return key;
  }

  /** Its values in {@code scored}. */
  ByteString of(PredictResponse scored) {
    return switch (this) {
      case PROBABILITIES -> scored.getScores();
      case LOGITS -> scored.getLogits();
    };
  }
}
