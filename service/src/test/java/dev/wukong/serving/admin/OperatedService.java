package dev.wukong.serving.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.wukong.client.RequestPacker;
import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import dev.wukong.proto.v1.LoadVersionRequest;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.ModelStatus;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.RollbackRequest;
import dev.wukong.proto.v1.RollbackResponse;
import dev.wukong.proto.v1.SetLabelRequest;
import dev.wukong.proto.v1.SetTrafficRequest;
import dev.wukong.proto.v1.TrafficShare;
import dev.wukong.proto.v1.VersionStatus;
import dev.wukong.proto.v1.VersionStatus.State;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A service with one model, {@code tiny}, as operators and callers see it. */
final class OperatedService implements AutoCloseable {
  private final Path bundles;
  private @Nullable Served served;
  private @Nullable ManagedChannel channel;

  /** A service over {@code bundles} that begins with {@link #start}. */
  OperatedService(Path bundles) {
    this.bundles = bundles;
  }

  /** The same, over versions 1 to 3 that are written there first; each answers differently. */
  static OperatedService ofThreeVersions(Path bundles) throws Exception {
    for (int version = 1; version <= 3; version++) {
      new TinyModel(version).write(bundles, "tiny", version);
    }
    return new OperatedService(bundles);
  }

  Path bundles() {
    return bundles;
  }

  void start(String... settings) throws Exception {
    served = Served.start(bundles, settings);
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", served.adminPort()).usePlaintext().build();
  }

  void restart(String... settings) throws Exception {
    close();
    start(settings);
  }

  @Override
  public void close() {
    if (channel != null) {
      channel.shutdownNow();
    }
    if (served != null) {
      served.close();
    }
  }

  Served served() {
    return Objects.requireNonNull(served, "start comes first");
  }

  /** To the operators' port. */
  ManagedChannel channel() {
    return Objects.requireNonNull(channel, "start comes first");
  }

  AdminServiceBlockingStub admin() {
    return AdminServiceGrpc.newBlockingStub(channel());
  }

  void awaitServing(long version) throws Exception {
    served().awaitServing("tiny", version);
  }

  static PredictRequest.Builder request() {
    return request(1);
  }

  static PredictRequest.Builder request(long item) {
    return new RequestPacker("tiny", TinyModel.schema())
            .pack(Map.of("user", 100), List.of(Map.of("item", item, "picture", List.of(0, 0))))
            .toBuilder();
  }

  long answeredBy(PredictRequest.Builder request) {
    return RankingServiceGrpc.newBlockingStub(served().channel())
        .predict(request.build())
        .getVersion()
        .getBundle();
  }

  long answeredByKey(String key) {
    return answeredBy(request().setRoutingKey(key));
  }

  static PredictRequest.Builder picking(ModelSelector.Builder pick) {
    return request().setModel(pick.setName("tiny"));
  }

  ModelStatus load(long version, boolean serve) {
    return admin()
        .loadVersion(
            LoadVersionRequest.newBuilder()
                .setModel("tiny")
                .setVersion(version)
                .setServe(serve)
                .build())
        .getStatus();
  }

  ModelStatus label(String label, long version) {
    return admin()
        .setLabel(
            SetLabelRequest.newBuilder()
                .setModel("tiny")
                .setLabel(label)
                .setVersion(version)
                .build())
        .getStatus();
  }

  ModelStatus share(String label, double share) {
    return admin()
        .setTraffic(
            SetTrafficRequest.newBuilder()
                .setModel("tiny")
                .addShares(TrafficShare.newBuilder().setLabel(label).setShare(share))
                .build())
        .getStatus();
  }

  RollbackResponse rollback() {
    return admin()
        .rollback(RollbackRequest.newBuilder().setModel("tiny").setReason("worse clicks").build());
  }

  static Map<Long, State> states(ModelStatus status) {
    return status.getVersionsList().stream()
        .collect(Collectors.toMap(VersionStatus::getVersion, VersionStatus::getState));
  }

  static String refusal(Code code, Supplier<?> call) {
    StatusRuntimeException refusal = catchThrowableOfType(StatusRuntimeException.class, call::get);
    assertThat(refusal).isNotNull();
    assertThat(refusal.getStatus().getCode()).isEqualTo(code);
    return String.valueOf(refusal.getStatus().getDescription());
  }

  ModelStatus shadow(String label, double share) {
    return admin()
        .setTraffic(
            SetTrafficRequest.newBuilder()
                .setModel("tiny")
                .addShares(
                    TrafficShare.newBuilder().setLabel(label).setShare(share).setShadow(true))
                .build())
        .getStatus();
  }

  /** The probabilities of the only candidate, of all tasks. */
  float[] scores(PredictRequest.Builder request) {
    FloatBuffer scores =
        RankingServiceGrpc.newBlockingStub(served().channel())
            .predict(request.build())
            .getScores()
            .asReadOnlyByteBuffer()
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer();
    float[] values = new float[scores.remaining()];
    scores.get(values);
    return values;
  }
}
