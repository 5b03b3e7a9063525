package dev.wukong.study;

import dev.wukong.bundle.BundleStore;
import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.run.ConfigTree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A study as its file says it.
 *
 * @param title one line for the report
 * @param about what a reader of the report must know, such as how the runs were chosen; may be
 *     empty
 * @param config the base configuration of runs that name none
 * @param folder of the study's file, where configurations are looked for first; null where the
 *     study ships with the program
 * @param set values over those of every run's configuration
 * @param seed of a search's draws
 * @param space of a search; else empty
 * @param trials of a search
 */
public record Study(
    String name,
    String title,
    String about,
    Kind kind,
    Optional<String> config,
    @Nullable Path folder,
    Map<String, JsonNode> set,
    List<RunSpec> runs,
    long seed,
    List<Dimension> space,
    int trials) {
  private static final int MAX_TRIALS = 10_000;

  /** The studies that ship with the program. */
  public static final List<String> SHIPPED =
      List.of(
          "frappe",
          "frappe-width",
          "ml100k",
          "ablation",
          "scaling",
          "scaling-rates",
          "scaling-frappe",
          "search-frappe",
          "trials-frappe",
          "paper-afn",
          "paper-autoint",
          "paper-dcnv2",
          "paper-dlrm",
          "paper-finalmlp",
          "paper-masknet-parallel",
          "paper-masknet-serial",
          "paper-wukong",
          "paper-xdeepfm");

  public Study {
    runs = List.copyOf(runs);
    space = List.copyOf(space);
  }

  /**
   * Reads a file, or a study that ships with the program.
   *
   * @param source a path, or a name such as {@code frappe}
   * @throws ConfigException where it cannot be used; the message names the key, the value and what
   *     is allowed
   */
  public static Study read(String source) {
    Path file = Path.of(source);
    return Files.isRegularFile(file)
        ? of(Section.read(file), file.toAbsolutePath().getParent())
        : of(shipped(source), null);
  }

  private static Section shipped(String name) {
    String resource = "/studies/" + name + ".yaml";
    try (InputStream in =
        name.matches("[a-z0-9_-]+") ? Study.class.getResourceAsStream(resource) : null) {
      if (in == null) {
        throw new ConfigException(
            "there is no study file '%s' and none of that name ships with the program (%s)"
                .formatted(name, String.join(", ", SHIPPED)));
      }
      return Section.parse(name + ".yaml:", new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new ConfigException(resource + " cannot be read: " + e.getMessage());
    }
  }

  private static Study of(Section root, @Nullable Path folder) {
    String name = root.text("name");
    if (!BundleStore.isModel(name)) {
      throw new ConfigException(
          root.path() + " name is '" + name + "', want 1 to 64 of a-z, 0-9, _ and -");
    }
    Kind kind = root.choice("kind", Kind.REPRODUCE);
    checkKeys(root, kind);
    Study study =
        new Study(
            name,
            root.text("title", name),
            root.text("about", "").strip(),
            kind,
            root.has("config") ? Optional.of(root.text("config")) : Optional.empty(),
            folder,
            RunSpec.values(root, "set"),
            root.sections("runs").stream().map(RunSpec::read).toList(),
            root.integer("seed", 1, 0, Integer.MAX_VALUE),
            Dimension.read(root.section("space")),
            root.integer("trials", 0, 1, MAX_TRIALS));
    root.done();
    study.check(root.path());
    return study;
  }

  /** Refuses what the kind of study lacks, and what it has no use for. */
  private static void checkKeys(Section root, Kind kind) {
    boolean search = kind == Kind.SEARCH;
    for (String key : search ? List.of("config", "space", "trials") : List.of("runs")) {
      if (!root.has(key)) {
        throw new ConfigException(
            "%s %s is missing, want one in a study of kind '%s'".formatted(root.path(), key, kind));
      }
    }
    for (String key : search ? List.of("runs") : List.of("space", "trials", "seed")) {
      if (root.keys().contains(key)) {
        throw new ConfigException(
            "%s %s is of no use to a study of kind '%s', want none%s"
                .formatted(
                    root.path(),
                    key,
                    kind,
                    key.equals("seed") ? " (a training's is training.seed, under set)" : ""));
      }
    }
  }

  private void check(String path) {
    if (runs.isEmpty() && space.isEmpty()) {
      throw new ConfigException(
          path + (kind == Kind.SEARCH ? " space" : " runs") + " is empty, want at least one entry");
    }
    List<String> drawn = space.stream().flatMap(d -> d.keys().stream()).toList();
    RunSpec.checkApart(path, set.keySet(), drawn);
    runs.forEach(
        run ->
            RunSpec.checkApart(
                path + " run '" + run.name() + "'", set.keySet(), run.set().keySet()));
    Set<String> names = new HashSet<>();
    for (RunSpec run : runs) {
      if (!names.add(run.name())) {
        throw new ConfigException(path + " runs has '" + run.name() + "' twice, want other names");
      }
      if (run.config().isEmpty() && config.isEmpty()) {
        throw new ConfigException(
            path + " run '" + run.name() + "' has no config, and the study has none either");
      }
    }
  }

  /** The base configuration of {@code run}, before anything is set. */
  ConfigTree base(RunSpec run) {
    String source = run.config().or(this::config).orElseThrow();
    Path beside = folder == null ? Path.of(source) : folder.resolve(source);
    return ConfigTree.read(Files.isRegularFile(beside) ? beside.toString() : source);
  }
}
