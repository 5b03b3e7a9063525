package dev.wukong.serving.hosting;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The plans of all models, which outlive the process where there is a folder for them. One thread.
 */
final class VersionPlans {
  private static final JsonMapper JSON = JsonMapper.shared();

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
   * @throws IOException if it cannot be read
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
    try {
      return JSON.readValue(Files.readAllBytes(file), VersionPlan.class);
    } catch (JacksonException e) {
      throw new IOException(
          "what operators asked of model '%s' cannot be read from %s; remove the file to start anew"
              .formatted(model, file),
          e);
    }
  }

  /**
   * Replaces the plan of {@code model}, for good on return.
   *
   * @throws IOException if it cannot be written; then nothing has changed
   */
  void put(String model, VersionPlan plan) throws IOException {
    if (folder.isPresent()) {
      Files.createDirectories(folder.get());
      Path file = file(folder.get(), model);
      Path beside = file.resolveSibling(model + ".json.new");
      Files.write(beside, JSON.writeValueAsBytes(plan));
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
    plans.put(model, plan);
  }

  private static Path file(Path folder, String model) {
    return folder.resolve(model + ".json");
  }
}
