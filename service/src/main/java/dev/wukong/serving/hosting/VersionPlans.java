package dev.wukong.serving.hosting;

import dev.wukong.data.WholeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The plans of all models, which outlive the process where there is a folder for them. One thread.
 */
final class VersionPlans {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          // A file of an earlier release lacks the numbers that came later; they are 0 then.
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private final Optional<Path> folder;
  private final Map<String, VersionPlan> plans = new HashMap<>();

  /**
   * Plans as they were left.
   *
   * @param folder made where it is needed; empty: plans end with the process
   */
  VersionPlans(Optional<Path> folder) {
    this.folder = folder;
  }

  /**
   * The plan of {@code model}.
   *
   * @throws IOException if it cannot be read; the message names the file, which is read again the
   *     next time
   */
  VersionPlan of(String model) throws IOException {
    VersionPlan known = plans.get(model);
    if (known == null) {
      known = read(model);
      plans.put(model, known);
    }
    return known;
  }

  private VersionPlan read(String model) throws IOException {
    if (folder.isEmpty() || !Files.exists(file(folder.get(), model))) {
      return VersionPlan.NONE;
    }
    Path file = file(folder.get(), model);
    VersionPlan plan;
    try {
      plan = JSON.readValue(Files.readAllBytes(file), VersionPlan.class);
    } catch (JacksonException e) {
      throw new IOException(unreadable(model, file), e);
    }
    if (plan == null) { // The file says null.
      throw new IOException(unreadable(model, file));
    }
    return plan;
  }

  private static String unreadable(String model, Path file) {
    return "what operators asked of model '%s' cannot be read from %s; remove the file to start anew"
        .formatted(model, file);
  }

  /**
   * Replaces the plan of {@code model}, for good on return: it is on the disk then.
   *
   * @throws IOException if it cannot be written; then nothing changes as long as the process lives
   */
  void put(String model, VersionPlan plan) throws IOException {
    if (folder.isPresent()) {
      Files.createDirectories(folder.get());
      WholeFile.write(file(folder.get(), model), JSON.writeValueAsString(plan));
    }
    plans.put(model, plan);
  }

  private static Path file(Path folder, String model) {
    return folder.resolve(model + ".json");
  }
}
