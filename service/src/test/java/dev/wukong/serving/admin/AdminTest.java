package dev.wukong.serving.admin;

import static dev.wukong.serving.admin.OperatedService.picking;
import static dev.wukong.serving.admin.OperatedService.refusal;
import static dev.wukong.serving.admin.OperatedService.request;
import static dev.wukong.serving.admin.OperatedService.states;
import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.GetModelRequest;
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
import dev.wukong.proto.v1.VersionStatus.State;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Status.Code;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.util.FileSystemUtils;

/** What operators can do, through the port that they have. */
class AdminTest {
  @TempDir private Path root = Path.of("");

  @SuppressWarnings("NullAway.Init") // Before each test.
  private OperatedService on;

  @BeforeEach
  void write() throws Exception {
    on = OperatedService.ofThreeVersions(root.resolve("bundles"));
  }

  @AfterEach
  void stop() {
    on.close();
  }

  @Test
  void load_besideTheOneThatServes_answersThoseWhoAskForIt() throws Exception {
    on.start("wukong.versions.tiny=2");
    on.awaitServing(2);

    ModelStatus status = on.load(3, false);

    assertThat(states(status)).containsEntry(2L, State.STATE_SERVING);
    assertThat(states(status)).containsEntry(3L, State.STATE_READY);
    assertThat(on.answeredBy(request())).isEqualTo(2);
    assertThat(on.answeredBy(picking(ModelSelector.newBuilder().setVersion(3)))).isEqualTo(3);
    assertThat(
            refusal(
                Code.NOT_FOUND,
                () -> on.answeredBy(picking(ModelSelector.newBuilder().setVersion(1)))))
        .isEqualTo("model.version is 1; loaded of 'tiny' are [2, 3]");
  }

  @Test
  void load_toServe_takesOverAndUnloadsNewerOnes() throws Exception {
    on.start();
    on.awaitServing(3);

    ModelStatus status = on.load(1, true);

    assertThat(status.getServing().getBundle()).isEqualTo(1);
    assertThat(on.answeredBy(request())).isEqualTo(1);
    ModelHost host = on.served().bean(ModelHost.class);
    assertThat(host.model("tiny").orElseThrow().loadedVersions()).containsExactly(1L);
    // What comes later takes over, as the policy says.
    new TinyModel(4).write(on.bundles(), "tiny", 4);
    on.awaitServing(4);
  }

  @Test
  void load_versionThatCannotBeUsed_saysWhyAndChangesNothing() throws Exception {
    new TinyModel(5).write(on.bundles(), "tiny", 5, 0.01f);
    on.start("wukong.versions.tiny=3");
    on.awaitServing(3);

    assertThat(refusal(Code.FAILED_PRECONDITION, () -> on.load(5, true)))
        .startsWith("version 5 of model 'tiny' cannot be used: golden rows of model 'tiny'");
    assertThat(refusal(Code.NOT_FOUND, () -> on.load(9, true)))
        .isEqualTo("model 'tiny' has no version 9; there are [1, 2, 3, 5]");
    assertThat(on.answeredBy(request())).isEqualTo(3);
  }

  @Test
  void label_pointsToAVersion_answersThoseWhoAskForItOverRestarts() throws Exception {
    on.start("wukong.versions.tiny=latest:2");
    on.awaitServing(3);
    Served.await(
        "2 is loaded",
        () ->
            on.served()
                .bean(ModelHost.class)
                .model("tiny")
                .orElseThrow()
                .loadedVersions()
                .contains(2L));
    assertThat(on.label("stable", 2).getLabelsMap()).containsExactly(Map.entry("stable", 2L));
    PredictRequest.Builder stable = picking(ModelSelector.newBuilder().setLabel("stable"));
    assertThat(on.answeredBy(stable)).isEqualTo(2);

    on.restart("wukong.versions.tiny=latest");
    on.awaitServing(3);
    Served.await(
        "the label is there",
        () ->
            on.served().bean(ModelHost.class).model("tiny").orElseThrow().loadedVersions().size()
                == 2);
    assertThat(on.answeredBy(stable)).isEqualTo(2);

    on.label("stable", 3);
    assertThat(on.answeredBy(stable)).isEqualTo(3);
    on.label("stable", 0);
    assertThat(refusal(Code.NOT_FOUND, () -> on.answeredBy(stable)))
        .isEqualTo("model.label is 'stable'; model 'tiny' has no labels");
  }

  @Test
  void label_versionIsNotLoaded_isRefused() throws Exception {
    on.start();
    on.awaitServing(3);
    assertThat(refusal(Code.FAILED_PRECONDITION, () -> on.label("canary", 1)))
        .isEqualTo(
            "version 1 of model 'tiny' is not loaded, so no label can point to it; loaded are [3]");
    assertThat(refusal(Code.NOT_FOUND, () -> on.label("canary", 0)))
        .isEqualTo("model 'tiny' has no label 'canary'; it has {}");
  }

  @Test
  void label_itsVersionIsGoneAfterARestart_isSaidEverywhere() throws Exception {
    on.start("wukong.versions.tiny=2");
    on.awaitServing(2);
    on.load(3, false);
    on.label("canary", 3);
    on.share("canary", 0.25);
    on.close();
    FileSystemUtils.deleteRecursively(on.bundles().resolve("tiny").resolve("3"));
    on.start("wukong.versions.tiny=2");
    on.awaitServing(2);

    assertThat(on.answeredBy(request())).isEqualTo(2);
    assertThat(
            refusal(
                Code.UNAVAILABLE,
                () -> on.answeredBy(picking(ModelSelector.newBuilder().setLabel("canary")))))
        .isEqualTo(
            "model.label is 'canary', which points to version 3 of model 'tiny'; it is not loaded");
    assertThat(refusal(Code.FAILED_PRECONDITION, () -> on.share("canary", 0.5)))
        .isEqualTo(
            "label 'canary' of model 'tiny' points to version 3, which is not loaded; move the"
                + " label first");
    assertThat(on.share("canary", 0).getSharesMap()).containsEntry("canary", 0.0);
    assertThat(
            on.served()
                .bean(MeterRegistry.class)
                .get("wukong.hosting.labels.lost")
                .tag("model", "tiny")
                .gauge()
                .value())
        .isEqualTo(1);
    on.label("canary", 2);
    assertThat(on.answeredBy(picking(ModelSelector.newBuilder().setLabel("canary")))).isEqualTo(2);
  }

  @Test
  void share_ofACanary_answersThatPartAndEachKeyAlwaysTheSame() throws Exception {
    on.start("wukong.versions.tiny=2");
    on.awaitServing(2);
    on.load(3, false);
    on.label("canary", 3);
    assertThat(on.share("canary", 0.25).getSharesMap()).containsExactly(Map.entry("canary", 0.25));

    int canary = 0;
    for (int key = 0; key < 400; key++) {
      long version = on.answeredByKey("user " + key);
      assertThat(on.answeredByKey("user " + key)).isEqualTo(version);
      canary += version == 3 ? 1 : 0;
    }
    assertThat(canary).isBetween(70, 130); // 100 expected, deviation 8.7.

    on.share("canary", 1);
    assertThat(on.answeredBy(request())).isEqualTo(3);
    on.label("canary", 0);
    assertThat(on.answeredBy(request())).isEqualTo(2);
  }

  @Test
  void share_ofALabelThatIsNotThere_isRefused() throws Exception {
    on.start();
    on.awaitServing(3);
    assertThat(refusal(Code.NOT_FOUND, () -> on.share("canary", 0.5)))
        .isEqualTo("model 'tiny' has no label 'canary'; it has {}");
  }

  @Test
  void rollback_oneCall_servesWhatServedBeforeAlsoAfterARestart() throws Exception {
    on.start("wukong.versions.tiny=latest:2");
    on.awaitServing(3);

    RollbackResponse done = on.rollback();

    assertThat(done.getServing()).isEqualTo(ModelVersion.newBuilder().setBundle(2).build());
    assertThat(done.getReplaced()).isEqualTo(ModelVersion.newBuilder().setBundle(3).build());
    assertThat(on.answeredBy(request())).isEqualTo(2);
    on.restart("wukong.versions.tiny=latest:2");
    on.awaitServing(2);
    assertThat(on.rollback().getServing().getBundle()).isEqualTo(1);
    assertThat(refusal(Code.FAILED_PRECONDITION, on::rollback))
        .isEqualTo("model 'tiny' has no version before 1 that may serve; there are [1, 2, 3]");
    on.load(3, true);
    assertThat(on.answeredBy(request())).isEqualTo(3);
  }

  @Test
  void unload_theOnlyOneThatServesOrALabelled_isRefused() throws Exception {
    on.start("wukong.versions.tiny=3");
    on.awaitServing(3);
    on.load(2, false);
    UnloadVersionRequest.Builder unload = UnloadVersionRequest.newBuilder().setModel("tiny");
    assertThat(
            refusal(
                Code.FAILED_PRECONDITION,
                () -> on.admin().unloadVersion(unload.setVersion(3).build())))
        .isEqualTo(
            "version 3 of model 'tiny' is the only one that serves; have another one serve first");
    on.label("shadow", 2);
    assertThat(
            refusal(
                Code.FAILED_PRECONDITION,
                () -> on.admin().unloadVersion(unload.setVersion(2).build())))
        .isEqualTo("version 2 of model 'tiny' has a label ({shadow=2}); move the label first");
    on.label("shadow", 0);
    assertThat(states(on.admin().unloadVersion(unload.setVersion(2).build()).getStatus()).get(2L))
        .isIn(State.STATE_DRAINING, State.STATE_UNLOADED);
    assertThat(
            refusal(Code.NOT_FOUND, () -> on.admin().unloadVersion(unload.setVersion(2).build())))
        .isEqualTo("version 2 of model 'tiny' is not loaded; loaded are [3]");
  }

  @Test
  void unload_othersAreLoadedButWouldNotServe_isRefused() throws Exception {
    on.start("wukong.versions.tiny=manual");
    on.load(1, true);
    on.label("stable", 1);
    on.load(3, true);
    UnloadVersionRequest unload =
        UnloadVersionRequest.newBuilder().setModel("tiny").setVersion(3).build();
    assertThat(refusal(Code.FAILED_PRECONDITION, () -> on.admin().unloadVersion(unload)))
        .isEqualTo(
            "version 3 of model 'tiny' is the only one that serves; have another one serve first");

    on.restart("wukong.versions.tiny=1+3");
    on.awaitServing(3);
    Served.await(
        "1 is loaded",
        () ->
            on.served()
                .bean(ModelHost.class)
                .model("tiny")
                .orElseThrow()
                .loadedVersions()
                .contains(1L));
    assertThat(on.admin().unloadVersion(unload).getStatus().getServing().getBundle()).isEqualTo(1);
  }

  @Test
  void policy_all_loadsEveryVersionAndServesTheNewest() throws Exception {
    on.start("wukong.versions.tiny=all");
    on.awaitServing(3);
    ModelHost host = on.served().bean(ModelHost.class);
    Served.await(
        "all are loaded", () -> host.model("tiny").orElseThrow().loadedVersions().size() == 3);
    for (long version = 1; version <= 3; version++) {
      assertThat(on.answeredBy(picking(ModelSelector.newBuilder().setVersion(version))))
          .isEqualTo(version);
    }
  }

  @Test
  void policy_manual_loadsNothingUntilAsked() throws Exception {
    on.start("wukong.versions.tiny=manual");
    Served.await(
        "the model is known", () -> on.served().bean(ModelHost.class).model("tiny").isPresent());
    assertThat(refusal(Code.UNAVAILABLE, () -> on.answeredBy(request())))
        .isEqualTo("model 'tiny' has no version that serves yet");
    on.load(2, true);
    assertThat(on.answeredBy(request())).isEqualTo(2);
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
    on.start();
    on.awaitServing(3);
    SetLabelRequest request =
        SetLabelRequest.newBuilder().setModel(model).setLabel(label).setVersion(version).build();
    assertThat(refusal(code, () -> on.admin().setLabel(request))).isEqualTo(message);
  }

  @Test
  void share_badShares_areRefused() throws Exception {
    on.start("wukong.versions.tiny=all");
    on.awaitServing(3);
    assertThat(refusal(Code.INVALID_ARGUMENT, () -> on.share("canary", 1.5)))
        .isEqualTo("share of label 'canary' is 1.5; 0 to 1 are allowed");
    TrafficShare most = TrafficShare.newBuilder().setLabel("a").setShare(0.6).build();
    SetTrafficRequest.Builder request = SetTrafficRequest.newBuilder().setModel("tiny");
    assertThat(
            refusal(
                Code.INVALID_ARGUMENT,
                () ->
                    on.admin()
                        .setTraffic(
                            request
                                .addShares(most)
                                .addShares(most.toBuilder().setLabel("b"))
                                .build())))
        .isEqualTo("shares add up to 1.2; up to 1 is allowed");
    assertThat(
            refusal(
                Code.INVALID_ARGUMENT,
                () ->
                    on.admin()
                        .setTraffic(
                            SetTrafficRequest.newBuilder()
                                .setModel("tiny")
                                .addShares(most)
                                .addShares(most)
                                .build())))
        .isEqualTo("label 'a' has two shares");
  }

  @Test
  void rollback_withoutAReason_isRefused() throws Exception {
    on.start();
    on.awaitServing(3);
    assertThat(
            refusal(
                Code.INVALID_ARGUMENT,
                () -> on.admin().rollback(RollbackRequest.newBuilder().setModel("tiny").build())))
        .isEqualTo("reason has 0 bytes; 1 to 1024 are allowed");
  }

  @Test
  void ports_operatorsAndCallers_areApart() throws Exception {
    on.start();
    on.awaitServing(3);
    assertThat(
            refusal(
                Code.UNIMPLEMENTED,
                () ->
                    AdminServiceGrpc.newBlockingStub(on.served().channel())
                        .rollback(RollbackRequest.getDefaultInstance())))
        .contains("Method not found");
    assertThat(
            StatusServiceGrpc.newBlockingStub(on.channel())
                .getModel(GetModelRequest.getDefaultInstance())
                .getStatus()
                .getServing()
                .getBundle())
        .isEqualTo(3);
    assertThat(
            refusal(
                Code.UNIMPLEMENTED,
                () ->
                    RankingServiceGrpc.newBlockingStub(on.channel())
                        .predict(PredictRequest.getDefaultInstance())))
        .contains("Method not found");
  }
}
