package dev.wukong.serving.sight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.wukong.client.RankingClient;
import dev.wukong.client.RequestPacker;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.RankingServiceGrpc.RankingServiceBlockingStub;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@TestInstance(Lifecycle.PER_CLASS)
class SeenTest {
  private static final String PREDICT = "wukong.v1.RankingService/Predict";
  private static final String CALLER = "00f067aa0ba902b7";

  /** What the access log writes, as its appender gets it. */
  private static final class Lines extends AppenderBase<ILoggingEvent> {
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    @Override
    protected void append(ILoggingEvent event) {
      lines.add(event.getFormattedMessage());
    }

    JsonNode await(String requestId) throws InterruptedException {
      while (true) {
        String line = lines.poll(2, TimeUnit.MINUTES);
        if (line == null) {
          throw new AssertionError("no line of " + requestId);
        }
        JsonNode json = JsonMapper.shared().readTree(line);
        if (json.path("request_id").asString("").equals(requestId)) {
          return json;
        }
      }
    }
  }

  private final TinyModel model = new TinyModel(1);
  private final Lines lines = new Lines();
  private int traces;

  @SuppressWarnings("NullAway.Init") // Before all tests.
  private Path bundles;

  @SuppressWarnings("NullAway.Init") // Before all tests.
  private Collector collector;

  @SuppressWarnings("NullAway.Init") // Before all tests.
  private Served served;

  @BeforeAll
  void start(@TempDir Path root) throws Exception {
    bundles = root.resolve("bundles");
    model.write(bundles, "tiny", 3);
    collector = new Collector();
    served =
        Served.start(
            bundles,
            "wukong.access-log.sample=1",
            "wukong.limits.default-deadline=1m",
            "wukong.limits.max-deadline=2m",
            "wukong.batching.max-wait=1m",
            "management.opentelemetry.tracing.export.otlp.endpoint=" + collector.endpoint(),
            "management.tracing.sampling.probability=0");
    lines.start();
    ((Logger) LoggerFactory.getLogger(AccessLogger.NAME)).addAppender(lines);
    serves(3);
  }

  private void serves(long version) throws Exception {
    served.awaitServing("tiny", version);
  }

  @AfterAll
  void stop() {
    served.close();
    collector.close();
  }

  private String newTrace() {
    return "4bf92f3577b34da6a3ce929d%08x".formatted(++traces);
  }

  private static String traceParent(String trace, boolean sampled) {
    return "00-%s-%s-%s".formatted(trace, CALLER, sampled ? "01" : "00");
  }

  private RankingServiceBlockingStub stub(String traceParent) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), traceParent);
    return RankingServiceGrpc.newBlockingStub(served.channel())
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .withDeadlineAfter(2, TimeUnit.MINUTES);
  }

  private static PredictRequest request(String id) {
    return new RequestPacker("tiny", TinyModel.schema())
            .pack(
                Map.of("user", 101),
                List.of(
                    Map.of("item", 1, "picture", List.of(0, 0)),
                    Map.of("item", 987654321, "picture", List.of(0, 0))))
            .toBuilder()
            .setRequestId(id)
            .build();
  }

  /** All spans of {@code trace} by name, once all that ended up to now have been sent. */
  private Map<String, Span> spans(String trace) {
    assertThat(
            served.bean(SdkTracerProvider.class).forceFlush().join(2, TimeUnit.MINUTES).isSuccess())
        .isTrue();
    return collector.spans().stream()
        .filter(s -> Collector.hex(s.getTraceId()).equals(trace))
        .collect(Collectors.toMap(Span::getName, s -> s));
  }

  private static Map<String, AnyValue> attributes(Span span) {
    Map<String, AnyValue> attributes = new HashMap<>();
    for (KeyValue attribute : span.getAttributesList()) {
      attributes.put(attribute.getKey(), attribute.getValue());
    }
    return attributes;
  }

  private static Span span(Map<String, Span> spans, String name) {
    Span span = spans.get(name);
    if (span == null) {
      throw new AssertionError("no span " + name + " among " + spans.keySet());
    }
    return span;
  }

  private static AnyValue value(Span span, String name) {
    AnyValue value = attributes(span).get(name);
    if (value == null) {
      throw new AssertionError("no attribute " + name + " in " + span);
    }
    return value;
  }

  @Test
  void trace_sampledByTheCaller_continuesWithEveryStage() throws Exception {
    String trace = newTrace();
    long before = System.currentTimeMillis();
    stub(traceParent(trace, true)).predict(request("traced"));
    Map<String, Span> spans = spans(trace);
    assertThat(spans.keySet())
        .containsExactlyInAnyOrder(PREDICT, "decode", "resolve", "queue", "run", "reply");
    Span call = span(spans, PREDICT);
    assertThat(Collector.hex(call.getParentSpanId())).isEqualTo(CALLER);
    assertThat(call.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
    assertThat(call.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_UNSET);
    assertThat(value(call, "rpc.system").getStringValue()).isEqualTo("grpc");
    assertThat(value(call, "rpc.service").getStringValue()).isEqualTo("wukong.v1.RankingService");
    assertThat(value(call, "rpc.method").getStringValue()).isEqualTo("Predict");
    assertThat(value(call, "rpc.grpc.status_code").getIntValue()).isZero();
    assertThat(value(call, "wukong.model").getStringValue()).isEqualTo("tiny");
    assertThat(value(call, "wukong.version").getIntValue()).isGreaterThanOrEqualTo(3);
    assertThat(value(call, "wukong.rows").getIntValue()).isEqualTo(2);
    assertThat(value(call, "wukong.batch_rows").getIntValue()).isEqualTo(2);
    assertThat(call.getStartTimeUnixNano() / 1_000_000).isGreaterThanOrEqualTo(before - 1000);
    long from = call.getStartTimeUnixNano();
    for (String stage : List.of("decode", "resolve", "queue", "run", "reply")) {
      Span child = span(spans, stage);
      assertThat(child.getParentSpanId()).isEqualTo(call.getSpanId());
      assertThat(child.getStartTimeUnixNano()).as(stage).isGreaterThanOrEqualTo(from);
      from = child.getEndTimeUnixNano();
      assertThat(from).isGreaterThanOrEqualTo(child.getStartTimeUnixNano());
    }
    assertThat(call.getEndTimeUnixNano()).isGreaterThanOrEqualTo(from);
    JsonNode line = lines.await("traced");
    assertThat(line.get("trace_id").asString()).isEqualTo(trace);
    assertThat(line.get("defaulted").asInt()).isEqualTo(1);
  }

  @Test
  void trace_notSampled_sendsNothing() throws Exception {
    String unsampled = newTrace();
    stub(traceParent(unsampled, false)).predict(request("unsampled"));
    // By itself, with a probability of 0.
    RankingServiceGrpc.newBlockingStub(served.channel()).predict(request("alone"));
    String sampled = newTrace();
    stub(traceParent(sampled, true)).predict(request("sampled"));
    assertThat(spans(sampled)).isNotEmpty();
    assertThat(collector.spans().stream().map(s -> Collector.hex(s.getTraceId())))
        .contains(sampled)
        .doesNotContain(unsampled)
        .allMatch(id -> id.startsWith("4bf92f3577b34da6a3ce929d"));
    assertThat(lines.await("unsampled").has("trace_id")).isFalse();
    assertThat(lines.await("alone").has("trace_id")).isFalse();
  }

  @Test
  void trace_malformedParent_isNoError() throws Exception {
    stub("00-what-is-this").predict(request("malformed"));
    assertThat(lines.await("malformed").get("code").asString()).isEqualTo("OK");
  }

  @Test
  void trace_refused_isAnErrorWithoutTheCallersValues() throws Exception {
    String trace = newTrace();
    PredictRequest bad = request("refused").toBuilder().setSchemaId("0".repeat(64)).build();
    assertThatThrownBy(() -> stub(traceParent(trace, true)).predict(bad))
        .isInstanceOf(StatusRuntimeException.class);
    Map<String, Span> spans = spans(trace);
    Span call = span(spans, PREDICT);
    assertThat(call.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_ERROR);
    assertThat(call.getStatus().getMessage()).isEqualTo("schema");
    assertThat(value(call, "rpc.grpc.status_code").getIntValue()).isEqualTo(9);
    assertThat(spans.keySet()).containsExactly(PREDICT);
    JsonNode line = lines.await("refused");
    assertThat(line.get("reason").asString()).isEqualTo("schema");
    assertThat(line.get("code").asString()).isEqualTo("FAILED_PRECONDITION");
    assertThat(line.get("trace_id").asString()).isEqualTo(trace);
  }

  @Test
  void trace_inferenceProtocol_namesItsMethod() throws Exception {
    String trace = newTrace();
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), traceParent(trace, true));
    var stub =
        GRPCInferenceServiceGrpc.newBlockingStub(served.channel())
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    assertThatThrownBy(
            () -> stub.modelInfer(ModelInferRequest.newBuilder().setModelName("tiny").build()))
        .isInstanceOf(StatusRuntimeException.class);
    Span call = span(spans(trace), "inference.GRPCInferenceService/ModelInfer");
    assertThat(value(call, "rpc.method").getStringValue()).isEqualTo("ModelInfer");
    assertThat(value(call, "rpc.grpc.status_code").getIntValue()).isEqualTo(3);
    assertThat(call.getStatus().getMessage()).isEqualTo("bad_request");
  }

  @Test
  void trace_json_liesUnderTheSpanOfHttp() throws Exception {
    String trace = newTrace();
    try (HttpClient http = HttpClient.newHttpClient()) {
      var answer =
          http.send(
              HttpRequest.newBuilder(
                      URI.create(
                          "http://localhost:%d/models/tiny/predict".formatted(served.httpPort())))
                  .header("traceparent", traceParent(trace, true))
                  .POST(BodyPublishers.ofString("{\"candidates\": [{\"picture\": [0, 0]}]}"))
                  .build(),
              BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
    }
    // The span of HTTP ends after its caller has the answer.
    Served.await(
        "the call ends", () -> spans(trace).containsKey("http post /models/{name}/predict"));
    Map<String, Span> spans = spans(trace);
    Span http = span(spans, "http post /models/{name}/predict");
    assertThat(Collector.hex(http.getParentSpanId())).isEqualTo(CALLER);
    Span predict = span(spans, "predict");
    assertThat(predict.getParentSpanId()).isEqualTo(http.getSpanId());
    assertThat(attributes(predict)).doesNotContainKey("rpc.system");
    assertThat(span(spans, "run").getParentSpanId()).isEqualTo(predict.getSpanId());
  }

  private String prometheus() throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(
              HttpRequest.newBuilder(
                      URI.create(
                          "http://localhost:%d/actuator/prometheus".formatted(served.httpPort())))
                  .build(),
              BodyHandlers.ofString())
          .body();
    }
  }

  @Test
  void meters_calls_bearTheNamesOfObservationsInFewSeries() throws Exception {
    stub(traceParent(newTrace(), false)).predict(request("measured"));
    assertThatThrownBy(
            () ->
                stub(traceParent(newTrace(), false))
                    .predict(PredictRequest.newBuilder().setRequestId("unmeasured").build()))
        .isInstanceOf(StatusRuntimeException.class);
    String metrics = prometheus();
    assertThat(metrics)
        .contains("wukong_predict_reply_seconds_bucket{model=\"tiny\",le=")
        .contains("wukong_access_lines_total{outcome=\"lost\"}");
    List<String> calls = metrics.lines().filter(l -> l.startsWith("grpc_server_seconds")).toList();
    List<String> predicts =
        calls.stream()
            .filter(
                l ->
                    l.contains("rpc_method=\"Predict\"")
                        && l.contains("rpc_service=\"wukong.v1.RankingService\"")
                        && l.contains("rpc_type=\"UNARY\"")
                        && l.contains("grpc_status_code=\"OK\""))
            .toList();
    assertThat(predicts).hasSizeBetween(10, 20);
    assertThat(calls).anyMatch(l -> l.contains("grpc_status_code=\"INVALID_ARGUMENT\""));
    assertThat(metrics.lines().filter(l -> l.contains("model=\"tiny\"")).count())
        .isBetween(100L, 700L);
  }

  @Test
  void meters_versionIsUnloaded_areRemoved() throws Exception {
    MeterRegistry meters = served.bean(MeterRegistry.class);
    ModelHost host = served.bean(ModelHost.class);
    long old = host.model("tiny").orElseThrow().servingVersion();
    try (RankingClient client =
        RankingClient.over(served.channel(), "tiny", Duration.ofMinutes(2))) {
      client.predict(Map.of("user", 101), List.of(Map.of("item", 1, "picture", List.of(0, 0))));
      assertThat(ofVersion(meters, old)).hasSize(3);
      new TinyModel(2).write(bundles, "tiny", old + 1);
      serves(old + 1);
      client.predict(
          Map.of("user", 101), List.of(Map.of("item", 987654321, "picture", List.of(0, 0))));
    }
    Served.await("the old version's are gone", () -> ofVersion(meters, old).isEmpty());
    assertThat(ofVersion(meters, old + 1))
        .containsOnlyKeys(
            "wukong.version.requests", "wukong.version.candidates", "wukong.version.defaulted")
        .containsEntry("wukong.version.defaulted", 1.0);
  }

  private static Map<String, Double> ofVersion(MeterRegistry meters, long version) {
    return meters.getMeters().stream()
        .filter(m -> Long.toString(version).equals(m.getId().getTag("version")))
        .collect(Collectors.toMap(m -> m.getId().getName(), m -> ((Counter) m).count()));
  }
}
