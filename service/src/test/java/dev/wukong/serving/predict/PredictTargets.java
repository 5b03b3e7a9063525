package dev.wukong.serving.predict;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.wukong.client.RequestPacker;
import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import dev.wukong.fuzzing.SeedBundle;
import dev.wukong.proto.v1.Exposure;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.Label;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.hosting.Hosted;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.predict.FeedbackCheck.Checked;
import dev.wukong.serving.testing.TinyModel;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What callers send over gRPC. */
public final class PredictTargets implements FuzzTargets {
  private static final long NOW_MS = 1_800_000_000_000L;

  /** Loaded once it is needed. */
  private static final class Loaded {
    private static final HostedModel MODEL = SeedBundle.use(Hosted::load);
  }

  @Override
  public List<FuzzTarget> targets() {
    return List.of(predict(), feedback());
  }

  private static FuzzTarget predict() {
    RequestDecoder decoder = new RequestDecoder(LIMITS);
    RequestRoom room = new RequestRoom(); // One for all, as a server has it.
    return new FuzzTarget(
        "predict",
        List.of(ServingException.class, InvalidProtocolBufferException.class),
        () -> List.of(request().toByteArray()),
        input -> {
          Query query =
              decoder.decode(
                  PredictRequest.parseFrom(ByteString.copyFrom(input)), Loaded.MODEL, room);
          int rows = query.candidates().rows();
          if (rows < 1 || rows > LIMITS.candidates()) {
            throw new AssertionError("%d candidates were let through".formatted(rows));
          }
        });
  }

  private static PredictRequest request() {
    return new RequestPacker("tiny", TinyModel.schema())
        .pack(
            Map.of("user", 100, "age", 1),
            List.of(
                Map.of(
                    "item",
                    1,
                    "tags",
                    List.of("red", "blue"),
                    "tag_weights",
                    List.of(1, 2),
                    "price",
                    2,
                    "picture",
                    List.of(1, 2)),
                Map.of("item", 2, "price", 3, "picture", List.of(3, 4))));
  }

  private static FuzzTarget feedback() {
    FeedbackCheck check =
        new FeedbackCheck(
            () -> List.of("click", "buy"),
            Duration.ofHours(1),
            100,
            FeedbackTokens.plain(),
            "tiny");
    ByteString id = PredictionIds.bytes(new PredictionId(NOW_MS << 16, 7));
    return new FuzzTarget(
        "feedback",
        InvalidProtocolBufferException.class,
        () ->
            List.of(
                FeedbackEvent.newBuilder()
                    .setPredictionId(id)
                    .setExposure(
                        Exposure.newBuilder()
                            .setPositions(ByteString.copyFrom(new byte[4]))
                            .setEventTimeMs(NOW_MS))
                    .build()
                    .toByteArray(),
                FeedbackEvent.newBuilder()
                    .setPredictionId(id)
                    .setLabel(
                        Label.newBuilder()
                            .setPosition(1)
                            .setTask("click")
                            .setValue(1)
                            .setEventTimeMs(NOW_MS))
                    .build()
                    .toByteArray()),
        input -> {
          Checked _ = check.check(FeedbackEvent.parseFrom(input), "token:web", NOW_MS);
        });
  }
}
