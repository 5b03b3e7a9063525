package dev.wukong.serving.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.client.RequestPacker;
import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.LoadVersionRequest;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.ModelStatus;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.RollbackRequest;
import dev.wukong.proto.v1.RollbackResponse;
import dev.wukong.proto.v1.SetLabelRequest;
import dev.wukong.proto.v1.SetTrafficRequest;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.proto.v1.TrafficShare;
import dev.wukong.proto.v1.UnloadVersionRequest;
import dev.wukong.proto.v1.VersionStatus;
import dev.wukong.proto.v1.VersionStatus.State;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What operators can do, through the port that they have. */
class AdminTest {
  @TempDir private Path root = Path.of("");
  private Path bundles = Path.of("");

  @SuppressWarnings("NullAway.Init") // By start, which every test calls first.
  private Served served;

  @SuppressWarnings("NullAway.Init") // Likewise.
  private ManagedChannel channel;

  @SuppressWarnings("NullAway.Init") // Likewise.
  private AdminServiceBlockingStub admin;

  @BeforeEach
  void write() throws Exception {
    bundles = root.resolve("bundles");
    for (int version = 1; version <= 3; version++) {
      new TinyModel(version).write(bundles, "tiny", version);
    }
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    served.close();
  }

  private void start(String... settings) throws Exception {
    served = Served.start(bundles, settings);
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", served.adminPort()).usePlaintext().build();
    admin = AdminServiceGrpc.newBlockingStub(channel);
  }

  private void restart(String... settings) throws Exception {
    stop();
    start(settings);
  }

  private void awaitServing(long version) throws Exception {
    served.awaitServing("tiny", version);
  }

  private static PredictRequest.Builder request() {
    return request(1);
  }

  private static PredictRequest.Builder request(long item) {
    return new RequestPacker("tiny", TinyModel.schema())
            .pack(Map.of("user", 100), List.of(Map.of("item", item, "picture", List.of(0, 0))))
            .toBuilder();
  }

  private long answeredBy(PredictRequest.Builder request) {
    return RankingServiceGrpc.newBlockingStub(served.channel())
        .predict(request.build())
        .getVersion()
        .getBundle();
  }

  private long answeredByKey(String key) {
    return answeredBy(request().setRoutingKey(key));
  }

  private static PredictRequest.Builder picking(ModelSelector.Builder pick) {
    return request().setModel(pick.setName("tiny"));
  }

  private ModelStatus load(long version, boolean serve) {
    return admin
        .loadVersion(
            LoadVersionRequest.newBuilder()
                .setModel("tiny")
                .setVersion(version)
                .setServe(serve)
                .build())
        .getStatus();
  }

  private ModelStatus label(String label, long version) {
    return admin
        .setLabel(
            SetLabelRequest.newBuilder()
                .setModel("tiny")
                .setLabel(label)
                .setVersion(version)
                .build())
        .getStatus();
  }

  private ModelStatus share(String label, double share) {
    return admin
        .setTraffic(
            SetTrafficRequest.newBuilder()
                .setModel("tiny")
                .addShares(TrafficShare.newBuilder().setLabel(label).setShare(share))
                .build())
        .getStatus();
  }

  private RollbackResponse rollback() {
    return admin.rollback(
        RollbackRequest.newBuilder().setModel("tiny").setReason("worse clicks").build());
  }

  private static Map<Long, State> states(ModelStatus status) {
    return status.getVersionsList().stream()
        .collect(Collectors.toMap(VersionStatus::getVersion, VersionStatus::getState));
  }

  private static String refusal(Code code, Supplier<?> call) {
    StatusRuntimeException refusal = catchThrowableOfType(StatusRuntimeException.class, call::get);
    assertThat(refusal).isNotNull();
    assertThat(refusal.getStatus().getCode()).isEqualTo(code);
    return String.valueOf(refusal.getStatus().getDescription());
  }

  @Test
  void load_besideTheOneThatServes_answersThoseWhoAskForIt() throws Exception {
    start("wukong.versions.tiny=2");
    awaitServing(2);

    ModelStatus status = load(3, false);

    assertThat(states(status)).containsEntry(2L, State.STATE_SERVING);
    assertThat(states(status)).containsEntry(3L, State.STATE_READY);
    assertThat(answeredBy(request())).isEqualTo(2);
    assertThat(answeredBy(picking(ModelSelector.newBuilder().setVersion(3)))).isEqualTo(3);
    assertThat(
            refusal(
                Code.NOT_FOUND,
                () -> answeredBy(picking(ModelSelector.newBuilder().setVersion(1)))))
        .isEqualTo("model.version is 1; loaded of 'tiny' are [2, 3]");
  }

  @Test
  void load_toServe_takesOverAndUnloadsNewerOnes() throws Exception {
    start();
    awaitServing(3);

    ModelStatus status = load(1, true);

    assertThat(status.getServing().getBundle()).isEqualTo(1);
    assertThat(answeredBy(request())).isEqualTo(1);
    ModelHost host = served.bean(ModelHost.class);
    assertThat(host.model("tiny").orElseThrow().loadedVersions()).containsExactly(1L);
    // What comes later takes over, as the policy says.
    new TinyModel(4).write(bundles, "tiny", 4);
    awaitServing(4);
  }

  @Test
  void load_versionThatCannotBeUsed_saysWhyAndChangesNothing() throws Exception {
    new TinyModel(5).write(bundles, "tiny", 5, 0.01f);
    start("wukong.versions.tiny=3");
    awaitServing(3);

    assertThat(refusal(Code.FAILED_PRECONDITION, () -> load(5, true)))
        .startsWith("version 5 of model 'tiny' cannot be used: golden rows of model 'tiny'");
    assertThat(refusal(Code.NOT_FOUND, () -> load(9, true)))
        .isEqualTo("model 'tiny' has no version 9; there are [1, 2, 3, 5]");
    assertThat(answeredBy(request())).isEqualTo(3);
  }

  @Test
  void label_pointsToAVersion_answersThoseWhoAskForItOverRestarts() throws Exception {
    start("wukong.versions.tiny=latest:2");
    awaitServing(3);
    Served.await(
        "2 is loaded",
        () ->
            served.bean(ModelHost.class).model("tiny").orElseThrow().loadedVersions().contains(2L));
    assertThat(label("stable", 2).getLabelsMap()).containsExactly(Map.entry("stable", 2L));
    PredictRequest.Builder stable = picking(ModelSelector.newBuilder().setLabel("stable"));
    assertThat(answeredBy(stable)).isEqualTo(2);

    restart("wukong.versions.tiny=latest");
    awaitServing(3);
    Served.await(
        "the label is there",
        () ->
            served.bean(ModelHost.class).model("tiny").orElseThrow().loadedVersions().size() == 2);
    assertThat(answeredBy(stable)).isEqualTo(2);

    label("stable", 3);
    assertThat(answeredBy(stable)).isEqualTo(3);
    label("stable", 0);
    assertThat(refusal(Code.NOT_FOUND, () -> answeredBy(stable)))
        .isEqualTo("model.label is 'stable'; model 'tiny' has no labels");
  }

  @Test
  void label_versionIsNotLoaded_isRefused() throws Exception {
    start();
    awaitServing(3);
    assertThat(refusal(Code.FAILED_PRECONDITION, () -> label("canary", 1)))
        .isEqualTo(
            "version 1 of model 'tiny' is not loaded, so no label can point to it; loaded are [3]");
    assertThat(refusal(Code.NOT_FOUND, () -> label("canary", 0)))
        .isEqualTo("model 'tiny' has no label 'canary'; it has {}");
  }

  @Test
  void share_ofACanary_answersThatPartAndEachKeyAlwaysTheSame() throws Exception {
    start("wukong.versions.tiny=2");
    awaitServing(2);
    load(3, false);
    label("canary", 3);
    assertThat(share("canary", 0.25).getSharesMap()).containsExactly(Map.entry("canary", 0.25));

    int canary = 0;
    for (int key = 0; key < 400; key++) {
      long version = answeredByKey("user " + key);
      assertThat(answeredByKey("user " + key)).isEqualTo(version);
      canary += version == 3 ? 1 : 0;
    }
    assertThat(canary).isBetween(70, 130); // 100 expected, deviation 8.7.

    share("canary", 1);
    assertThat(answeredBy(request())).isEqualTo(3);
    label("canary", 0);
    assertThat(answeredBy(request())).isEqualTo(2);
  }

  @Test
  void share_ofALabelThatIsNotThere_isRefused() throws Exception {
    start();
    awaitServing(3);
    assertThat(refusal(Code.NOT_FOUND, () -> share("canary", 0.5)))
        .isEqualTo("model 'tiny' has no label 'canary'; it has {}");
  }

  @Test
  void rollback_oneCall_servesWhatServedBeforeAlsoAfterARestart() throws Exception {
    start("wukong.versions.tiny=latest:2");
    awaitServing(3);

    RollbackResponse done = rollback();

    assertThat(done.getServing()).isEqualTo(ModelVersion.newBuilder().setBundle(2).build());
    assertThat(done.getReplaced()).isEqualTo(ModelVersion.newBuilder().setBundle(3).build());
    assertThat(answeredBy(request())).isEqualTo(2);
    restart("wukong.versions.tiny=latest:2");
    awaitServing(2);
    assertThat(rollback().getServing().getBundle()).isEqualTo(1);
    assertThat(refusal(Code.FAILED_PRECONDITION, this::rollback))
        .isEqualTo("model 'tiny' has no version before 1; there are [1, 2, 3]");
    load(3, true);
    assertThat(answeredBy(request())).isEqualTo(3);
  }

  @Test
  void unload_theOnlyOneThatServesOrALabelled_isRefused() throws Exception {
    start("wukong.versions.tiny=3");
    awaitServing(3);
    load(2, false);
    UnloadVersionRequest.Builder unload = UnloadVersionRequest.newBuilder().setModel("tiny");
    assertThat(
            refusal(
                Code.FAILED_PRECONDITION, () -> admin.unloadVersion(unload.setVersion(3).build())))
        .isEqualTo(
            "version 3 of model 'tiny' is the only one that serves; have another one serve first");
    label("shadow", 2);
    assertThat(
            refusal(
                Code.FAILED_PRECONDITION, () -> admin.unloadVersion(unload.setVersion(2).build())))
        .isEqualTo("version 2 of model 'tiny' has a label ({shadow=2}); move the label first");
    label("shadow", 0);
    assertThat(states(admin.unloadVersion(unload.setVersion(2).build()).getStatus()).get(2L))
        .isIn(State.STATE_DRAINING, State.STATE_UNLOADED);
    assertThat(refusal(Code.NOT_FOUND, () -> admin.unloadVersion(unload.setVersion(2).build())))
        .isEqualTo("version 2 of model 'tiny' is not loaded; loaded are [3]");
  }

  @Test
  void policy_all_loadsEveryVersionAndServesTheNewest() throws Exception {
    start("wukong.versions.tiny=all");
    awaitServing(3);
    ModelHost host = served.bean(ModelHost.class);
    Served.await(
        "all are loaded", () -> host.model("tiny").orElseThrow().loadedVersions().size() == 3);
    for (long version = 1; version <= 3; version++) {
      assertThat(answeredBy(picking(ModelSelector.newBuilder().setVersion(version))))
          .isEqualTo(version);
    }
  }

  @Test
  void policy_manual_loadsNothingUntilAsked() throws Exception {
    start("wukong.versions.tiny=manual");
    Served.await(
        "the model is known", () -> served.bean(ModelHost.class).model("tiny").isPresent());
    assertThat(refusal(Code.UNAVAILABLE, () -> answeredBy(request())))
        .isEqualTo("model 'tiny' has no version that serves yet");
    load(2, true);
    assertThat(answeredBy(request())).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Tiny | 1 | x | INVALID_ARGUMENT | model is 'Tiny'; 1 to 64 of a-z, 0-9, '_' and '-' are"
            + " allowed",
        "none | 1 | x | NOT_FOUND | there is no model 'none'; there are [tiny]",
        "tiny | -1 | x | INVALID_ARGUMENT | version is -1; 0 or more is allowed",
        "tiny | 1 | X | INVALID_ARGUMENT | label is 'X'; 1 to 64 of a-z, 0-9, '_' and '-' are"
            + " allowed",
      })
  void label_badField_namesIt(String model, long version, String label, Code code, String message)
      throws Exception {
    start();
    awaitServing(3);
    SetLabelRequest request =
        SetLabelRequest.newBuilder().setModel(model).setLabel(label).setVersion(version).build();
    assertThat(refusal(code, () -> admin.setLabel(request))).isEqualTo(message);
  }

  @Test
  void share_badShares_areRefused() throws Exception {
    start("wukong.versions.tiny=all");
    awaitServing(3);
    assertThat(refusal(Code.INVALID_ARGUMENT, () -> share("canary", 1.5)))
        .isEqualTo("share of label 'canary' is 1.5; 0 to 1 are allowed");
    TrafficShare most = TrafficShare.newBuilder().setLabel("a").setShare(0.6).build();
    SetTrafficRequest.Builder request = SetTrafficRequest.newBuilder().setModel("tiny");
    assertThat(
            refusal(
                Code.INVALID_ARGUMENT,
                () ->
                    admin.setTraffic(
                        request.addShares(most).addShares(most.toBuilder().setLabel("b")).build())))
        .isEqualTo("shares add up to 1.2; up to 1 is allowed");
    assertThat(
            refusal(
                Code.INVALID_ARGUMENT,
                () ->
                    admin.setTraffic(
                        SetTrafficRequest.newBuilder()
                            .setModel("tiny")
                            .addShares(most)
                            .addShares(most)
                            .build())))
        .isEqualTo("label 'a' has two shares");
  }

  @Test
  void rollback_withoutAReason_isRefused() throws Exception {
    start();
    awaitServing(3);
    assertThat(
            refusal(
                Code.INVALID_ARGUMENT,
                () -> admin.rollback(RollbackRequest.newBuilder().setModel("tiny").build())))
        .isEqualTo("reason has 0 bytes; 1 to 1024 are allowed");
  }

  @Test
  void ports_operatorsAndCallers_areApart() throws Exception {
    start();
    awaitServing(3);
    assertThat(
            refusal(
                Code.UNIMPLEMENTED,
                () ->
                    AdminServiceGrpc.newBlockingStub(served.channel())
                        .rollback(RollbackRequest.getDefaultInstance())))
        .contains("Method not found");
    assertThat(
            StatusServiceGrpc.newBlockingStub(channel)
                .getModel(GetModelRequest.getDefaultInstance())
                .getStatus()
                .getServing()
                .getBundle())
        .isEqualTo(3);
    assertThat(
            refusal(
                Code.UNIMPLEMENTED,
                () ->
                    RankingServiceGrpc.newBlockingStub(channel)
                        .predict(PredictRequest.getDefaultInstance())))
        .contains("Method not found");
  }

  private ModelStatus shadow(String label, double share) {
    return admin
        .setTraffic(
            SetTrafficRequest.newBuilder()
                .setModel("tiny")
                .addShares(
                    TrafficShare.newBuilder().setLabel(label).setShare(share).setShadow(true))
                .build())
        .getStatus();
  }

  /** The probabilities of the only candidate, of all tasks. */
  private float[] scores(PredictRequest.Builder request) {
    FloatBuffer scores =
        RankingServiceGrpc.newBlockingStub(served.channel())
            .predict(request.build())
            .getScores()
            .asReadOnlyByteBuffer()
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer();
    float[] values = new float[scores.remaining()];
    scores.get(values);
    return values;
  }

  private double copies(String outcome) {
    return served
        .bean(MeterRegistry.class)
        .counter("wukong.shadow.requests", "model", "tiny", "label", "next", "outcome", outcome)
        .count();
  }

  @Test
  void traffic_shadow_scoresCopiesAndComparesThemAndAnswersNothing() throws Exception {
    start("wukong.versions.tiny=1");
    awaitServing(1);
    load(3, false);
    label("next", 3);
    assertThat(shadow("next", 1).getCopiesMap()).containsEntry("next", 1.0);
    float[] of3 = scores(picking(ModelSelector.newBuilder().setVersion(3)));
    float[] of1 = scores(request());
    double apart = 0;
    double sum1 = 0;
    double sum3 = 0;
    for (int task = 0; task < of1.length; task++) {
      apart += Math.abs(of3[task] - of1[task]);
      sum1 += of1[task];
      sum3 += of3[task];
    }
    assertThat(apart).isGreaterThan(0.01);

    for (int i = 0; i < 4; i++) {
      assertThat(answeredByKey("user-" + i)).isEqualTo(1);
    }
    Served.await("all copies are scored", () -> copies("scored") == 5);

    MeterRegistry meters = served.bean(MeterRegistry.class);
    assertThat(meters.summary("wukong.shadow.difference", "model", "tiny", "label", "next").mean())
        .isCloseTo(apart / of1.length, within(1e-6));
    assertThat(
            meters
                .summary(
                    "wukong.shadow.probability", "model", "tiny", "label", "next", "of", "shadow")
                .mean())
        .isCloseTo(sum3 / of1.length, within(1e-6));
    assertThat(
            meters
                .summary(
                    "wukong.shadow.probability", "model", "tiny", "label", "next", "of", "answered")
                .mean())
        .isCloseTo(sum1 / of1.length, within(1e-6));
  }

  /** A shadow takes from the other end than a canary: here those that the canary leaves. */
  @Test
  void traffic_shadowOfAPart_copiesThatPartAndIsKept() throws Exception {
    start("wukong.versions.tiny=1");
    awaitServing(1);
    load(2, false);
    load(3, false);
    label("canary", 2);
    label("next", 3);
    TrafficShare.Builder half = TrafficShare.newBuilder().setShare(0.5);
    admin.setTraffic(
        SetTrafficRequest.newBuilder()
            .setModel("tiny")
            .addShares(half.clone().setLabel("canary"))
            .addShares(half.clone().setLabel("next").setShadow(true))
            .build());
    int left = 0;
    for (int i = 0; i < 40; i++) {
      left += answeredByKey("user-" + i) == 1 ? 1 : 0;
    }
    int expected = left;
    assertThat(expected).isBetween(1, 39);
    Served.await("they are scored", () -> copies("scored") >= expected);
    // Whoever asks for a version is not copied; the copies come one after another.
    answeredBy(picking(ModelSelector.newBuilder().setVersion(1)));
    for (int i = 0; i < 40; i++) {
      answeredByKey("user-" + i);
    }
    Served.await("the second round is scored", () -> copies("scored") >= 2 * expected);
    assertThat(copies("scored")).isEqualTo(2.0 * expected);

    restart("wukong.versions.tiny=1");
    awaitServing(1);
    ModelStatus status =
        StatusServiceGrpc.newBlockingStub(served.channel())
            .getModel(GetModelRequest.newBuilder().setName("tiny").build())
            .getStatus();
    assertThat(status.getCopiesMap()).containsExactly(Map.entry("next", 0.5));
    assertThat(status.getSharesMap()).containsExactly(Map.entry("canary", 0.5));
  }

  @Test
  void traffic_shadowWithoutFiniteResult_isCountedAndTroublesNobody() throws Exception {
    new TinyModel(4).withBrokenItem(199).write(bundles, "tiny", 4);
    start("wukong.versions.tiny=1");
    awaitServing(1);
    load(4, false);
    label("next", 4);
    shadow("next", 1);

    assertThat(answeredBy(request(199))).isEqualTo(1);

    Served.await("it is counted", () -> copies("failed") == 1);
    assertThat(copies("scored")).isZero();
  }
}
