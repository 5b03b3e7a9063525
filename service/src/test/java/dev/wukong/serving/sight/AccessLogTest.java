package dev.wukong.serving.sight;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class AccessLogTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-05-06T07:08:09.5Z"), ZoneOffset.UTC);
  private static final long MICRO = 1000;

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final List<String> lines = Collections.synchronizedList(new ArrayList<>());

  private AccessLog log(double sample, int refusals) {
    return new AccessLog(sample, refusals, lines::add, meters);
  }

  private double count(String outcome) {
    return meters.get("wukong.access.lines").tag("outcome", outcome).counter().count();
  }

  private static Sight answered(long lot) {
    Sight sight = new Sight(Door.OIP, 5, null);
    sight.asked("r", 3);
    sight.answeredBy("ctr", 7);
    sight.decoded(5 + 10 * MICRO, 3, 2, 1);
    sight.resolved(5 + 30 * MICRO, 4);
    sight.scored(5 + 100 * MICRO, 40 * MICRO, 20 * MICRO, 64);
    sight.predicted(ByteString.copyFrom(ByteBuffer.allocate(16).putLong(1).putLong(lot).flip()));
    sight.replied(5 + 150 * MICRO);
    return sight;
  }

  private static Sight refused(String requestId, long at) {
    Sight sight = new Sight(Door.GRPC, at, null);
    sight.asked(requestId, -1);
    sight.refused(at, Code.RESOURCE_EXHAUSTED, "overloaded");
    return sight;
  }

  @Test
  void line_answered_hasEveryStage() {
    Sights sights;
    try (AccessLog log = log(1, 0)) {
      sights = new Sights(null, log, CLOCK);
      sights.seen(answered(-1));
    }
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst()).doesNotContain("\n");
    JsonNode line = JsonMapper.shared().readTree(lines.getFirst());
    assertThat(Instant.parse(line.get("time").asString())).isBefore(CLOCK.instant());
    assertThat(line.get("door").asString()).isEqualTo("oip");
    assertThat(line.get("model").asString()).isEqualTo("ctr");
    assertThat(line.get("version").asLong()).isEqualTo(7);
    assertThat(line.get("request_id").asString()).isEqualTo("r");
    assertThat(line.get("prediction_id").asString()).isEqualTo("0000000000000001ffffffffffffffff");
    assertThat(line.get("rows").asInt()).isEqualTo(3);
    assertThat(line.get("code").asString()).isEqualTo("OK");
    assertThat(line.get("micros").toString())
        .isEqualTo(
            "{\"decode\":10,\"resolve\":20,\"queue\":40,\"run\":20,\"reply\":50,\"total\":150}");
    assertThat(line.get("batch_rows").asInt()).isEqualTo(64);
    assertThat(line.get("defaulted").asInt()).isEqualTo(4);
    assertThat(line.get("missing").asInt()).isEqualTo(2);
    assertThat(line.get("truncated").asInt()).isEqualTo(1);
    assertThat(line.has("reason")).isFalse();
    assertThat(line.has("trace_id")).isFalse();
  }

  @Test
  void line_hostileRequestId_isEscapedAndCut() {
    String hostile = "\"}\n{\"forged\":\u0000" + "x".repeat(1000);
    try (AccessLog log = log(0, 1)) {
      new Sights(null, log, CLOCK).seen(refused(hostile, 0));
    }
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst()).doesNotContain("\n").hasSizeLessThan(500);
    JsonNode line = JsonMapper.shared().readTree(lines.getFirst());
    assertThat(line.has("forged")).isFalse();
    assertThat(line.get("request_id").asString()).isEqualTo(hostile.substring(0, 128) + "...");
    assertThat(line.get("reason").asString()).isEqualTo("overloaded");
    assertThat(line.get("code").asString()).isEqualTo("RESOURCE_EXHAUSTED");
  }

  @Test
  void seen_aThird_isPickedByThePredictionsId() {
    try (AccessLog log = log(1.0 / 3, 0)) {
      Sights sights = new Sights(null, log, CLOCK);
      for (int i = 0; i < 6; i++) {
        sights.seen(answered((long) ((i + 0.5) / 6 * 0x1p62) << 2)); // The ith sixth of all ids.
      }
    }
    assertThat(lines).hasSize(2);
    assertThat(count("written")).isEqualTo(2);
  }

  @Test
  void seen_sampleOfNone_hasNoLine() {
    try (AccessLog log = log(0, 0)) {
      new Sights(null, log, CLOCK).seen(answered(0));
    }
    assertThat(lines).isEmpty();
  }

  @Test
  void seen_manyRefusals_areBoundedAndCounted() {
    try (AccessLog log = log(1, 3)) {
      Sights sights = new Sights(null, log, CLOCK);
      for (int i = 0; i < 10; i++) {
        sights.seen(refused("", i));
      }
      sights.seen(refused("", TimeUnit.SECONDS.toNanos(1)));
    }
    assertThat(lines).hasSize(4);
    assertThat(lines.get(2)).doesNotContain("left_out");
    assertThat(lines.get(3)).contains("\"left_out\":7");
    assertThat(count("left_out")).isEqualTo(7);
  }

  @Test
  void seen_nobodyTakesLines_losesThemAndWaitsForNobody() throws Exception {
    CountDownLatch writes = new CountDownLatch(1);
    CountDownLatch free = new CountDownLatch(1);
    Consumer<String> stuck =
        line -> {
          writes.countDown();
          try {
            assertThat(free.await(1, TimeUnit.MINUTES)).isTrue();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          lines.add(line);
        };
    try (AccessLog log = new AccessLog(1, 0, stuck, meters)) {
      Sights sights = new Sights(null, log, CLOCK);
      sights.seen(answered(0));
      assertThat(writes.await(1, TimeUnit.MINUTES)).isTrue();
      for (int i = 0; i < 1024 + 100; i++) {
        sights.seen(answered(0));
      }
      assertThat(count("lost")).isEqualTo(100);
      free.countDown();
    }
    assertThat(lines).hasSize(1025);
  }

  @Test
  void write_aLineIsRefused_goesOn() {
    Consumer<String> moody =
        line -> {
          if (lines.isEmpty()) {
            lines.add("first");
            throw new IllegalStateException("full");
          }
          lines.add(line);
        };
    try (AccessLog log = new AccessLog(1, 0, moody, meters)) {
      Sights sights = new Sights(null, log, CLOCK);
      sights.seen(answered(0));
      sights.seen(answered(0));
    }
    assertThat(lines).hasSize(2);
    assertThat(count("lost")).isEqualTo(1);
    assertThat(count("written")).isEqualTo(1);
  }
}
