package dev.wukong.serving.admin;

import dev.wukong.serving.hosting.TrainingState;
import dev.wukong.serving.hosting.VersionException;
import dev.wukong.serving.retraining.TrainingControl;
import dev.wukong.serving.retraining.TrainingControl.Exported;
import dev.wukong.text.ShownText;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * What operators may ask of training by REST: {@code POST /models/<name>/training/pause}, {@code
 * /resume}, {@code /accept}, {@code /step-back} and {@code /export}. It is there only where {@code
 * wukong.admin.rest} says so, since whoever predicts by REST could call it. A call says that it is
 * JSON, which no page of another site can make a browser say.
 */
@RestController
@ConditionalOnBooleanProperty(name = "wukong.admin.rest")
final class TrainingController {
  /** Why not. */
  record Refusal(int status, String error) {}

  /** What a call does. */
  @FunctionalInterface
  private interface Call {
    Object run() throws VersionException;
  }

  private final TrainingControl training;

  TrainingController(TrainingControl training) {
    this.training = training;
  }

  /** Stops training; {@link TrainingState} when the step under way is over. */
  @PostMapping(path = "/models/{name}/training/pause", consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Object> pause(@PathVariable String name) {
    return answer(() -> training.pause(name));
  }

  /** Has training go on. */
  @PostMapping(path = "/models/{name}/training/resume", consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Object> resume(@PathVariable String name) {
    return answer(() -> training.resume(name));
  }

  /** Has what was learned serve, whatever the gate says. */
  @PostMapping(path = "/models/{name}/training/accept", consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Object> accept(@PathVariable String name) {
    return answer(() -> training.accept(name));
  }

  /** Has all be as a healthy state was: {@code ?to=<number>}, else the last one. */
  @PostMapping(
      path = "/models/{name}/training/step-back",
      consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Object> stepBack(
      @PathVariable String name, @RequestParam(required = false) @Nullable String to) {
    if (to == null) {
      return answer(() -> training.stepBack(name, OptionalLong.empty()));
    }
    long number;
    try {
      number = Long.parseLong(to);
    } catch (NumberFormatException e) {
      return refusal(
          HttpStatus.BAD_REQUEST,
          "parameter 'to' is '%s', allowed is the number of a healthy state"
              .formatted(ShownText.of(to)));
    }
    return answer(() -> training.stepBack(name, OptionalLong.of(number)));
  }

  /** Writes what was learned as the next version; {@link Exported}. */
  @PostMapping(path = "/models/{name}/training/export", consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Object> export(@PathVariable String name) {
    return answer(() -> training.export(name));
  }

  private static ResponseEntity<Object> answer(Call call) {
    try {
      return ResponseEntity.ok(call.run());
    } catch (VersionException e) {
      HttpStatus status =
          switch (e) {
            case VersionException.Unknown _ -> HttpStatus.NOT_FOUND;
            case VersionException.NotNow _, VersionException.Busy _ -> HttpStatus.CONFLICT;
          };
      return refusal(status, String.valueOf(e.getMessage()));
    }
  }

  private static ResponseEntity<Object> refusal(HttpStatus status, String message) {
    return ResponseEntity.status(status)
        .contentType(MediaType.APPLICATION_JSON)
        .body(new Refusal(status.value(), message));
  }
}
