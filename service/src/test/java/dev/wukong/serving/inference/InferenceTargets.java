package dev.wukong.serving.inference;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.wukong.data.DataException;
import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.testing.TinyModel;
import java.util.List;

/** What callers of the Open Inference Protocol send. */
public final class InferenceTargets implements FuzzTargets {
  @Override
  public List<FuzzTarget> targets() {
    return List.of(
        new FuzzTarget(
            "inference",
            List.of(DataException.class, InvalidProtocolBufferException.class),
            () -> List.of(Tensors.tensors().request().build().toByteArray()),
            input -> {
              ModelInferRequest request = ModelInferRequest.parseFrom(input);
              var _ = InferenceTranslation.outputs(request);
              PredictRequest translated =
                  InferenceTranslation.complete(
                          PredictRequest.getDefaultInstance(), request, TinyModel.schema(), LIMITS)
                      .build();
              if (translated.getCandidates().getRows() > LIMITS.candidates()) {
                throw new AssertionError("more candidates than allowed were translated");
              }
            }));
  }
}
