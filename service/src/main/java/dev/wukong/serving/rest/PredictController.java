package dev.wukong.serving.rest;

import dev.wukong.client.RequestPacker;
import dev.wukong.data.DataException;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.ShownText;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.predict.CriticalityClass;
import dev.wukong.serving.predict.PredictService;
import dev.wukong.serving.predict.StatusMapping;
import dev.wukong.serving.sight.Door;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code POST /models/<name>/predict}: values by column name as JSON, scored on the path of gRPC's
 * Predict. A name that the model does not know is refused here, since people misspell.
 */
@RestController
public final class PredictController {
  private static final int MAX_BODY = 8 << 20;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * What is asked.
   *
   * @param context values by column; may be left out
   * @param candidates the same, one a candidate
   */
  record Question(
      @Nullable Map<String, @Nullable Object> context,
      @Nullable List<@Nullable Map<String, @Nullable Object>> candidates,
      @Nullable Long version,
      @Nullable String label,
      @Nullable String routingKey,
      @Nullable String criticality) {}

  /**
   * What is answered.
   *
   * @param probabilities by candidate and task
   */
  record Scores(
      String model,
      long version,
      List<String> tasks,
      List<List<Float>> probabilities,
      int defaultedIds,
      int missingValues,
      int truncatedIds) {}

  /** Why not. */
  record Refusal(int status, String error) {}

  private final ModelHost host;
  private final PredictService predict;

  public PredictController(ModelHost host, PredictService predict) {
    this.host = host;
    this.predict = predict;
  }

  @PostMapping("/models/{name}/predict")
  ResponseEntity<Object> predict(@PathVariable String name, HttpServletRequest http)
      throws IOException {
    try {
      Question question = read(http);
      return ResponseEntity.ok(
          scores(predict.scorePacked(Door.JSON, () -> request(name, question))));
    } catch (JacksonException e) {
      return refuse(HttpStatus.BAD_REQUEST, "the body is no such JSON: " + e.getOriginalMessage());
    } catch (DataException e) {
      return refuse(HttpStatus.BAD_REQUEST, String.valueOf(e.getMessage()));
    } catch (StatusRuntimeException e) {
      return refuse(e);
    }
  }

  private static Question read(HttpServletRequest http) throws IOException {
    byte[] body = http.getInputStream().readNBytes(MAX_BODY + 1);
    if (body.length > MAX_BODY) {
      throw new DataException(
          "the body has more than %d bytes; gRPC is for large requests".formatted(MAX_BODY));
    }
    Question question = JSON.readValue(body, Question.class);
    if (question == null) {
      throw new DataException("the body is null; an object with candidates is needed");
    }
    return question;
  }

  private PredictRequest request(String name, Question question) {
    ServedModel served =
        host.model(name)
            .orElseThrow(
                () ->
                    Status.NOT_FOUND
                        .withDescription(
                            "there is no model '%s'; there are %s"
                                .formatted(ShownText.of(name), host.names()))
                        .asRuntimeException());
    ModelSelector.Builder selector = ModelSelector.newBuilder().setName(name);
    if (question.version() != null && question.label() != null) {
      throw new DataException("version and label are both set; one of them is allowed");
    }
    if (question.version() != null) {
      selector.setVersion(question.version());
    }
    if (question.label() != null) {
      selector.setLabel(question.label());
    }
    PredictRequest.Builder request = pack(served, question).toBuilder().setModel(selector);
    if (question.routingKey() != null) {
      request.setRoutingKey(question.routingKey());
    }
    return request.setCriticality(criticality(question.criticality())).build();
  }

  private static Criticality criticality(@Nullable String text) {
    if (text == null) {
      return Criticality.CRITICALITY_NORMAL;
    }
    return CriticalityClass.parse(text)
        .orElseThrow(
            () ->
                new DataException(
                    "criticality is '%s'; %s are allowed"
                        .formatted(ShownText.of(text), CriticalityClass.ALLOWED)));
  }

  private static PredictRequest pack(ServedModel served, Question question) {
    Schema schema = schema(served, question);
    Map<String, @Nullable Object> context =
        question.context() == null ? Map.of() : question.context();
    if (question.candidates() == null || question.candidates().isEmpty()) {
      throw new DataException("candidates is missing or empty; one or more objects are needed");
    }
    requireKnown("context", schema, Scope.CONTEXT, context);
    List<Map<String, @Nullable Object>> candidates = new ArrayList<>();
    for (int i = 0; i < question.candidates().size(); i++) {
      Map<String, @Nullable Object> candidate = question.candidates().get(i);
      if (candidate == null) {
        throw new DataException("candidates[%d] is null; an object is needed".formatted(i));
      }
      requireKnown("candidates[%d]".formatted(i), schema, Scope.CANDIDATE, candidate);
      candidates.add(candidate);
    }
    return new RequestPacker(served.name(), schema).pack(context, candidates);
  }

  private static Schema schema(ServedModel served, Question question) {
    HostedModel model =
        question.version() != null
            ? served.leaseVersion(question.version())
            : question.label() != null ? served.leaseLabel(question.label()) : served.lease();
    if (model == null) {
      throw Status.NOT_FOUND
          .withDescription(
              "model '%s' has no such version, or none that serves yet; loaded are %s, labels %s"
                  .formatted(served.name(), served.loadedVersions(), served.labels()))
          .asRuntimeException();
    }
    try {
      return model.layout().schema();
    } finally {
      model.release();
    }
  }

  private static void requireKnown(
      String where, Schema schema, Scope scope, Map<String, @Nullable Object> values) {
    Set<String> known = new TreeSet<>();
    for (Feature feature : schema.features()) {
      if (feature.scope() == scope) {
        known.add(feature.column());
        if (feature instanceof IdFeature ids) {
          ids.weightColumn().ifPresent(known::add);
        }
      }
    }
    for (Map.Entry<String, @Nullable Object> value : values.entrySet()) {
      if (!known.contains(value.getKey())) {
        throw new DataException(
            "%s: the model knows no column '%s'; it has %s"
                .formatted(where, ShownText.of(value.getKey()), String.join(", ", known)));
      }
      if (value.getValue() instanceof Map<?, ?>) {
        throw new DataException(
            "%s: column '%s' is an object; a string, a number, true, false or a list is needed"
                .formatted(where, value.getKey()));
      }
    }
  }

  private static Scores scores(PredictResponse answer) {
    int tasks = answer.getTasksCount();
    ByteBuffer values = answer.getScores().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    List<List<Float>> probabilities = new ArrayList<>();
    while (values.hasRemaining()) {
      List<Float> candidate = new ArrayList<>(tasks);
      for (int task = 0; task < tasks; task++) {
        candidate.add(values.getFloat());
      }
      probabilities.add(candidate);
    }
    return new Scores(
        answer.getModel(),
        answer.getVersion().getBundle(),
        answer.getTasksList(),
        probabilities,
        answer.getQuality().getDefaultedIds(),
        answer.getQuality().getMissingValues(),
        answer.getQuality().getTruncatedIds());
  }

  private static ResponseEntity<Object> refuse(StatusRuntimeException failure) {
    HttpStatus status =
        switch (failure.getStatus().getCode()) {
          case INVALID_ARGUMENT -> HttpStatus.BAD_REQUEST;
          case NOT_FOUND -> HttpStatus.NOT_FOUND;
          case FAILED_PRECONDITION -> HttpStatus.CONFLICT;
          case RESOURCE_EXHAUSTED -> HttpStatus.TOO_MANY_REQUESTS;
          case UNAVAILABLE -> HttpStatus.SERVICE_UNAVAILABLE;
          case DEADLINE_EXCEEDED -> HttpStatus.GATEWAY_TIMEOUT;
          default -> HttpStatus.INTERNAL_SERVER_ERROR;
        };
    ResponseEntity.BodyBuilder answer =
        ResponseEntity.status(status).contentType(MediaType.APPLICATION_JSON);
    Metadata trailers = failure.getTrailers();
    String pushback = trailers == null ? null : trailers.get(StatusMapping.PUSHBACK);
    if (pushback != null) {
      // In whole seconds, as HTTP has it.
      answer.header(
          HttpHeaders.RETRY_AFTER,
          String.format(Locale.ROOT, "%d", (Long.parseLong(pushback) + 999) / 1000));
    }
    return answer.body(
        new Refusal(status.value(), String.valueOf(failure.getStatus().getDescription())));
  }

  private static ResponseEntity<Object> refuse(HttpStatus status, String why) {
    return ResponseEntity.status(status)
        .contentType(MediaType.APPLICATION_JSON)
        .body(new Refusal(status.value(), why));
  }
}
