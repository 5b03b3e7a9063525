package dev.wukong.serving.hosting;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/**
 * What the server serves, for people and scripts: {@code GET /models} and {@code GET
 * /models/<name>}.
 */
@RestController
final class ModelsController {
  /**
   * A model as JSON; {@code serving} is 0 and other fields are empty while no version serves.
   *
   * @param training null where the model does not learn
   */
  record ModelView(
      String name,
      long serving,
      String schemaId,
      List<String> tasks,
      String precision,
      long residentRows,
      List<VersionView> versions,
      @Nullable TrainingState training) {}

  /** A version as JSON; {@code message} says why it failed, else it is empty. */
  record VersionView(long version, String state, String message, Instant since) {}

  /** The answer where the path names no model. */
  record NoModel(int status, String error, List<String> models) {}

  private final ModelHost host;
  private final TrainingStates training;

  ModelsController(ModelHost host, TrainingStates training) {
    this.host = host;
    this.training = training;
  }

  @GetMapping("/models")
  List<ModelView> models() {
    return host.models().stream().map(this::view).toList();
  }

  @GetMapping("/models/{name}")
  ResponseEntity<Object> model(@PathVariable String name) {
    Optional<ServedModel> model = host.model(name);
    if (model.isPresent()) {
      return ResponseEntity.ok(view(model.get()));
    }
    List<String> names = host.names();
    return ResponseEntity.status(HttpStatus.NOT_FOUND)
        .contentType(MediaType.APPLICATION_JSON)
        .body(new NoModel(404, "there is no such model", names));
  }

  private ModelView view(ServedModel served) {
    List<VersionView> versions = served.versions().stream().map(ModelsController::view).toList();
    @Nullable TrainingState state = training.of(served.name()).orElse(null);
    HostedModel model = served.lease();
    if (model == null) {
      return new ModelView(served.name(), 0, "", List.of(), "", 0, versions, state);
    }
    try {
      return new ModelView(
          served.name(),
          model.bundle(),
          model.schemaId(),
          model.taskNames(),
          model.precision().toString(),
          model.residentRows(),
          versions,
          state);
    } finally {
      model.release();
    }
  }

  private static VersionView view(VersionState state) {
    String name = state.phase().getClass().getSimpleName().toUpperCase(Locale.ROOT);
    String message = state.phase() instanceof VersionState.Failed(String reason) ? reason : "";
    return new VersionView(state.version(), name, message, state.since());
  }
}
