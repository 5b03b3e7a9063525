package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.RequestPacker;
import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Callers who name no model, where more than one is there. */
class UnnamedModelTest {
  @Test
  void predict_anotherModelNeverServed_isAnsweredByTheOneThatDid(@TempDir Path root)
      throws Exception {
    Path bundles = root.resolve("bundles");
    new TinyModel(1).write(bundles, "tiny", 3);
    PredictRequest.Builder request =
        new RequestPacker("tiny", TinyModel.schema())
                .pack(Map.of("user", 100), List.of(Map.of("item", 1, "picture", List.of(0, 0))))
                .toBuilder();
    request.getModelBuilder().clearName();
    try (Served served = Served.serving(bundles, "tiny", 3, "wukong.models=empty,tiny")) {
      assertThat(
              RankingServiceGrpc.newBlockingStub(served.channel())
                  .predict(request.build())
                  .getVersion()
                  .getBundle())
          .isEqualTo(3);
      assertThat(
              StatusServiceGrpc.newBlockingStub(served.channel())
                  .getModel(GetModelRequest.getDefaultInstance())
                  .getStatus()
                  .getName())
          .isEqualTo("tiny");
    }
  }
}
