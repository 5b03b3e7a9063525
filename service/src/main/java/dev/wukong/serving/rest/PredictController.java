package dev.wukong.serving.rest;

import dev.wukong.data.DataException;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.serving.predict.PredictService;
import dev.wukong.serving.predict.StatusMapping;
import dev.wukong.serving.sight.Door;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code POST /models/<name>/predict}: values by column name as JSON, scored on the path of gRPC's
 * Predict. A name that the model does not know is refused here, since people misspell.
 */
@RestController
public final class PredictController {
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
      int truncatedIds,
      int unreadIds) {}

  /** Why not. */
  record Refusal(int status, String error) {}

  private final PredictService predict;
  private final PredictLimits limits;
  private final BodyRoom room = new BodyRoom();

  public PredictController(PredictService predict, PredictLimits limits) {
    this.predict = predict;
    this.limits = limits;
  }

  @PostMapping("/models/{name}/predict")
  ResponseEntity<Object> predict(@PathVariable String name, HttpServletRequest http)
      throws IOException {
    try (BodyRoom.Body body = room.body()) {
      Question question = QuestionReader.read(body.read(http.getInputStream()), limits);
      PredictRequest asked =
          PredictRequest.newBuilder()
              .setModel(question.pick().toBuilder().setName(name))
              .setRoutingKey(question.routingKey())
              .setCriticality(question.criticality())
              .build();
      return ResponseEntity.ok(
          scores(predict.score(Door.JSON, asked, new QuestionPacker(question))));
    } catch (DataException e) {
      return refuse(predict.refuse(Door.JSON, e));
    } catch (StatusRuntimeException e) {
      return refuse(e);
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
        answer.getQuality().getTruncatedIds(),
        answer.getQuality().getUnreadIds());
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
}
