package dev.wukong.serving.admin;

import static dev.wukong.serving.admin.OperatedService.picking;
import static dev.wukong.serving.admin.OperatedService.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.ModelStatus;
import dev.wukong.proto.v1.SetTrafficRequest;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.proto.v1.TrafficShare;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Versions that score copies of requests which others answer. */
class ShadowTrafficTest {
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

  private double copies(String outcome) {
    return on.served()
        .bean(MeterRegistry.class)
        .counter("wukong.shadow.requests", "model", "tiny", "label", "next", "outcome", outcome)
        .count();
  }

  @Test
  void traffic_shadow_scoresCopiesAndComparesThemAndAnswersNothing() throws Exception {
    on.start("wukong.versions.tiny=1");
    on.awaitServing(1);
    on.load(3, false);
    on.label("next", 3);
    assertThat(on.shadow("next", 1).getCopiesMap()).containsEntry("next", 1.0);
    float[] of3 = on.scores(picking(ModelSelector.newBuilder().setVersion(3)));
    float[] of1 = on.scores(request());
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
      assertThat(on.answeredByKey("user-" + i)).isEqualTo(1);
    }
    Served.await("all copies are scored", () -> copies("scored") == 5);

    MeterRegistry meters = on.served().bean(MeterRegistry.class);
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
    on.start("wukong.versions.tiny=1");
    on.awaitServing(1);
    on.load(2, false);
    on.load(3, false);
    on.label("canary", 2);
    on.label("next", 3);
    TrafficShare.Builder half = TrafficShare.newBuilder().setShare(0.5);
    on.admin()
        .setTraffic(
            SetTrafficRequest.newBuilder()
                .setModel("tiny")
                .addShares(half.clone().setLabel("canary"))
                .addShares(half.clone().setLabel("next").setShadow(true))
                .build());
    int left = 0;
    for (int i = 0; i < 40; i++) {
      left += on.answeredByKey("user-" + i) == 1 ? 1 : 0;
    }
    int expected = left;
    assertThat(expected).isBetween(1, 39);
    Served.await("they are scored", () -> copies("scored") >= expected);
    // Whoever asks for a version is not copied; the copies come one after another.
    on.answeredBy(picking(ModelSelector.newBuilder().setVersion(1)));
    for (int i = 0; i < 40; i++) {
      on.answeredByKey("user-" + i);
    }
    Served.await("the second round is scored", () -> copies("scored") >= 2 * expected);
    assertThat(copies("scored")).isEqualTo(2.0 * expected);

    on.restart("wukong.versions.tiny=1");
    on.awaitServing(1);
    ModelStatus status =
        StatusServiceGrpc.newBlockingStub(on.served().channel())
            .getModel(GetModelRequest.newBuilder().setName("tiny").build())
            .getStatus();
    assertThat(status.getCopiesMap()).containsExactly(Map.entry("next", 0.5));
    assertThat(status.getSharesMap()).containsExactly(Map.entry("canary", 0.5));
  }

  @Test
  void traffic_shadowWithoutFiniteResult_isCountedAndTroublesNobody() throws Exception {
    new TinyModel(4).withBrokenItem(199).write(on.bundles(), "tiny", 4);
    on.start("wukong.versions.tiny=1");
    on.awaitServing(1);
    on.load(4, false);
    on.label("next", 4);
    on.shadow("next", 1);

    assertThat(on.answeredBy(request(199))).isEqualTo(1);

    Served.await("it is counted", () -> copies("failed") == 1);
    assertThat(copies("scored")).isZero();
  }
}
