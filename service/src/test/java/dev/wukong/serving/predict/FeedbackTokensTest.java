package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.wukong.proto.v1.Exposure;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.Label;
import dev.wukong.proto.v1.Refusal.Reason;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.predict.FeedbackCheck.Checked;
import dev.wukong.serving.predict.FeedbackTokens.Shown;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeedbackTokensTest {
  private static final long NOW = 1_700_000_000_000L;
  private static final PredictionId ID = new PredictionId((NOW - 1000) << 16 | 5, 7);
  private static final String FIRST = "11".repeat(32);
  private static final String SECOND = "22".repeat(40);

  @TempDir private Path folder = Path.of("");

  @SuppressWarnings("NullAway.Init") // Before each test.
  private FeedbackTokens tokens;

  private FeedbackTokens read(String... lines) throws Exception {
    return FeedbackTokens.read(
        Files.writeString(folder.resolve("keys"), String.join("\n", lines) + "\n"));
  }

  @BeforeEach
  void read() throws Exception {
    tokens = read("# of the shop", "", FIRST);
  }

  @Test
  void issue_withAKey_isTheIdItsCandidatesAndTheirMac() throws Exception {
    ByteString token = tokens.issue(ID, 3, "ctr");

    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(HexFormat.of().parseHex(FIRST), "HmacSHA256"));
    ByteBuffer expected = ByteBuffer.allocate(32).putLong(ID.high()).putLong(ID.low()).putInt(3);
    mac.update(expected.array(), 0, 20);
    mac.update("ctr".getBytes(StandardCharsets.UTF_8));
    expected.put(mac.doFinal(), 0, 12);
    assertThat(token.toByteArray()).isEqualTo(expected.array());
    assertThat(tokens.read(token, "ctr")).isEqualTo(new Shown.Id(ID, 3));
    assertThat(FeedbackTokens.plain().issue(ID, 3, "ctr")).isEqualTo(PredictionIds.bytes(ID));
  }

  @Test
  void read_anyBitThatIsOther_isForeign() {
    byte[] token = tokens.issue(ID, 3, "ctr").toByteArray();
    for (int bit = 0; bit < 8 * token.length; bit++) {
      byte[] other = token.clone();
      other[bit / 8] ^= (byte) (1 << bit % 8);
      assertThat(tokens.read(ByteString.copyFrom(other), "ctr")).isEqualTo(new Shown.Foreign());
    }
    assertThat(tokens.read(ByteString.copyFrom(token), "other")).isEqualTo(new Shown.Foreign());
  }

  @Test
  void read_keysThatAreReplaced_takesThoseOfBoth() throws Exception {
    ByteString before = tokens.issue(ID, 3, "ctr");
    FeedbackTokens both = read(SECOND, FIRST);
    FeedbackTokens after = read(SECOND);
    assertThat(both.read(before, "ctr")).isEqualTo(new Shown.Id(ID, 3));
    assertThat(after.read(before, "ctr")).isEqualTo(new Shown.Foreign());
    assertThat(both.issue(ID, 3, "ctr")).isEqualTo(after.issue(ID, 3, "ctr"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "# nothing", "1111", "xx", "secret-of-the-shop"})
  void read_fileWithoutAKey_saysSoAndNotWhatItHolds(String line) {
    assertThatThrownBy(() -> read(line))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching("'.*keys', wh(ich has no key|ose line 1 is no key: 64 hex digits.*)")
        .hasMessageNotContaining("secret");
  }

  private Checked check(FeedbackEvent.Builder event) {
    return new FeedbackCheck(() -> List.of("click"), Duration.ofHours(1), 100, tokens, "ctr")
        .check(event.build(), "", NOW);
  }

  private static FeedbackEvent.Builder label(ByteString id, int position) {
    return FeedbackEvent.newBuilder()
        .setPredictionId(id)
        .setLabel(
            Label.newBuilder()
                .setPosition(position)
                .setTask("click")
                .setValue(1)
                .setEventTimeMs(NOW));
  }

  private static FeedbackEvent.Builder exposure(ByteString id, int position) {
    ByteBuffer positions = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    return FeedbackEvent.newBuilder()
        .setPredictionId(id)
        .setExposure(
            Exposure.newBuilder()
                .setPositions(ByteString.copyFrom(positions.putInt(position).flip()))
                .setEventTimeMs(NOW));
  }

  @Test
  void feedback_onWhatWasAnswered_isFitAndOnOtherThingsIsNot() {
    ByteString id = tokens.issue(ID, 3, "ctr");
    assertThat(check(label(id, 2))).isInstanceOf(Checked.Fit.class);
    assertThat(check(exposure(id, 2))).isInstanceOf(Checked.Fit.class);
    assertThat(check(label(id, 3)))
        .isEqualTo(
            new Checked.Unfit(
                Reason.REASON_INVALID,
                "field 'label.position' is 3, the prediction has the candidates 0 to 2"));
    assertThat(check(exposure(id, 3)))
        .isEqualTo(
            new Checked.Unfit(
                Reason.REASON_INVALID,
                "field 'exposure.positions' has 3, the prediction has the candidates 0 to 2"));
    assertThat(check(label(tokens.issue(ID, 3, "other"), 2)))
        .isEqualTo(
            new Checked.Unfit(
                Reason.REASON_UNKNOWN_PREDICTION,
                "field 'prediction_id' is none that this service has made for model 'ctr'"));
    assertThat(check(label(PredictionIds.bytes(ID), 2)))
        .isEqualTo(
            new Checked.Unfit(
                Reason.REASON_INVALID,
                "field 'prediction_id' has 16 bytes, want 32: those of the answer"));
  }
}
