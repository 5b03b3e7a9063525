package dev.wukong.serving.admin;

import static dev.wukong.serving.admin.OperatedService.picking;
import static dev.wukong.serving.admin.OperatedService.refusal;
import static dev.wukong.serving.admin.OperatedService.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.ModelStatus;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.proto.v1.RollbackRequest;
import dev.wukong.proto.v1.SetTrafficRequest;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.proto.v1.TrafficShare;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Status.Code;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which version a rollback picks, and what it leaves of the newer ones. */
class RollbackTest {
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

  private long rolledBack() {
    return on.rollback().getServing().getBundle();
  }

  @Test
  void rollback_canaryOfANewerVersion_answersOnlyThoseWhoAskForIt() throws Exception {
    on.start("wukong.versions.tiny=2");
    on.awaitServing(2);
    on.load(1, false);
    on.load(3, false);
    on.label("old", 1);
    on.label("canary", 3);
    on.label("next", 3);
    TrafficShare.Builder part = TrafficShare.newBuilder().setShare(0.25);
    var _ =
        on.admin()
            .setTraffic(
                SetTrafficRequest.newBuilder()
                    .setModel("tiny")
                    .addShares(part.clone().setLabel("old"))
                    .addShares(part.clone().setLabel("canary").setShare(0.5))
                    .addShares(part.clone().setLabel("next").setShadow(true))
                    .build());

    var _ =
        on.admin()
            .rollback(
                RollbackRequest.newBuilder()
                    .setModel("tiny")
                    .setTo(ModelVersion.newBuilder().setBundle(1))
                    .setReason("worse clicks")
                    .build());

    ModelStatus status =
        StatusServiceGrpc.newBlockingStub(on.served().channel())
            .getModel(GetModelRequest.newBuilder().setName("tiny").build())
            .getStatus();
    assertThat(status.getSharesMap()).containsExactly(Map.entry("old", 0.25));
    assertThat(status.getCopiesMap()).containsExactly(Map.entry("next", 0.25));
    assertThat(status.getLabelsMap())
        .containsOnly(Map.entry("old", 1L), Map.entry("canary", 3L), Map.entry("next", 3L));
    for (int key = 0; key < 40; key++) {
      assertThat(on.answeredByKey("user " + key)).isEqualTo(1);
    }
    assertThat(on.answeredBy(picking(ModelSelector.newBuilder().setLabel("canary")))).isEqualTo(3);
  }

  @Test
  void rollback_afterARestart_servesWhatServedBefore() throws Exception {
    on.start("wukong.versions.tiny=manual");
    on.load(1, true);
    on.load(3, true);
    on.restart("wukong.versions.tiny=manual");
    on.awaitServing(3);

    assertThat(rolledBack()).isEqualTo(1);
    assertThat(on.answeredBy(request())).isEqualTo(1);
  }

  @Test
  void rollback_heldVersionThatNeverServed_isPassedOver() throws Exception {
    on.start();
    on.awaitServing(3);
    on.load(2, false);
    assertThat(rolledBack()).isEqualTo(1);
  }

  @Test
  void rollback_versionThatServedAndIsHeld_servesAgain() throws Exception {
    on.start("wukong.versions.tiny=manual");
    on.load(2, true);
    on.load(3, true);
    on.load(2, false);
    assertThat(rolledBack()).isEqualTo(2);
  }

  @Test
  void rollback_versionBeforeCannotBeUsed_servesTheNextLower() throws Exception {
    new TinyModel(4).write(on.bundles(), "tiny", 4, 0.01f);
    new TinyModel(5).write(on.bundles(), "tiny", 5);
    on.start();
    on.awaitServing(5);
    assertThat(rolledBack()).isEqualTo(3);
  }

  @Test
  void rollback_noneBeforeCanBeUsed_saysWhyAndChangesNothing() throws Exception {
    new TinyModel(1).write(root.resolve("others"), "tiny", 1, 0.01f);
    new TinyModel(2).write(root.resolve("others"), "tiny", 2);
    on.close();
    on = new OperatedService(root.resolve("others"));
    on.start();
    on.awaitServing(2);
    assertThat(refusal(Code.FAILED_PRECONDITION, on::rollback))
        .startsWith("version 1 of model 'tiny' cannot be used: golden rows of model 'tiny'");
    assertThat(on.answeredBy(request())).isEqualTo(2);
  }
}
