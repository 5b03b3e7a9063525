package dev.wukong.serving.hosting;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/**
 * What the server serves, for people and scripts: {@code GET /models} and {@code GET
 * /models/<name>}.
 */
@RestController
final class ModelsController {
  /** A model as JSON; {@code serving} is 0 and other fields are empty while no version serves. */
  record ModelView(
      String name,
      long serving,
      String schemaId,
      List<String> tasks,
      String precision,
      long residentRows,
      List<VersionView> versions) {}

  /** A version as JSON; {@code message} says why it failed, else it is empty. */
  record VersionView(long version, String state, String message, Instant since) {}

  private final ModelHost host;

  ModelsController(ModelHost host) {
    this.host = host;
  }

  @GetMapping("/models")
  List<ModelView> models() {
    return host.models().stream().map(ModelsController::view).toList();
  }

  @GetMapping("/models/{name}")
  ModelView model(@PathVariable String name) {
    return host.model(name)
        .map(ModelsController::view)
        .orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND, "no such model"));
  }

  private static ModelView view(ServedModel served) {
    List<VersionView> versions = served.versions().stream().map(ModelsController::view).toList();
    HostedModel model = served.lease();
    if (model == null) {
      return new ModelView(served.name(), 0, "", List.of(), "", 0, versions);
    }
    try {
      return new ModelView(
          served.name(),
          model.bundle(),
          model.schemaId(),
          model.taskNames(),
          model.precision().toString(),
          model.residentRows(),
          versions);
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
