package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.client.RequestPacker;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.predict.FeatureLog;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.serving.predict.PredictService;
import dev.wukong.serving.predict.PredictionIds;
import dev.wukong.serving.sight.Door;
import dev.wukong.serving.sight.Sights;
import dev.wukong.serving.testing.Answer;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Status.Code;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Leases come back, whatever a request meets. */
class LeaseTest {
  @Test
  void predict_answerCannotBeBegun_givesTheLeaseBack(@TempDir Path root) throws Exception {
    try (ModelHost host = Hosted.host()) {
      ServedModel model = host.add("tiny");
      model.add(Hosted.load(new TinyModel(1).write(root, "tiny", 1)));
      model.serve(1);
      PredictionIds ids =
          new PredictionIds(
              Clock.systemUTC(),
              () -> {
                throw new IllegalStateException("no random bits");
              });
      Duration minute = Duration.ofMinutes(1);
      PredictService service =
          new PredictService(
              host,
              new PredictLimits(8, 8, 8, minute, minute),
              ids,
              FeatureLog.none(),
              new SimpleMeterRegistry(),
              Sights.none());
      PredictRequest request =
          new RequestPacker("tiny", TinyModel.schema())
              .pack(Map.of(), List.of(Map.of("picture", List.of(0, 0))));
      Answer<PredictResponse> answer = new Answer<>();

      service.predict(request, answer);

      assertThat(answer.refusal().getCode()).isEqualTo(Code.INTERNAL);
      // Done only once every lease is back.
      model.stop().get(1, TimeUnit.MINUTES);
    }
  }

  /**
   * An Error passes through, since nobody here can do anything about it; the lease does not stay.
   */
  @Test
  void score_packingRunsOutOfMemory_givesTheLeaseBack(@TempDir Path root) throws Exception {
    try (ModelHost host = Hosted.host()) {
      ServedModel model = host.add("tiny");
      model.add(Hosted.load(new TinyModel(1).write(root, "tiny", 1)));
      model.serve(1);
      Duration minute = Duration.ofMinutes(1);
      PredictService service =
          new PredictService(
              host,
              new PredictLimits(8, 8, 8, minute, minute),
              new PredictionIds(Clock.systemUTC(), () -> 0),
              FeatureLog.none(),
              new SimpleMeterRegistry(),
              Sights.none());
      OutOfMemoryError failure = new OutOfMemoryError("made up");

      assertThatThrownBy(
              () ->
                  service.score(
                      Door.JSON,
                      PredictRequest.getDefaultInstance(),
                      (_, _) -> {
                        throw failure;
                      }))
          .isSameAs(failure);

      // Done only once every lease is back.
      model.stop().get(1, TimeUnit.MINUTES);
    }
  }
}
