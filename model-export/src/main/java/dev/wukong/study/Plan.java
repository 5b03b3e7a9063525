package dev.wukong.study;

import dev.wukong.config.ConfigException;
import dev.wukong.run.ConfigTree;
import dev.wukong.run.RunConfig;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** The runs that a study comes to. All wanted configurations are read: a mistake shows at once. */
final class Plan {
  // Of a space of n points the last is missed by all of them with probability (1 - 1/n)^REDRAWS.
  private static final int REDRAWS = 10_000;

  private Plan() {}

  /**
   * The runs in the order in which they start: all of the first seed, then all of the next.
   *
   * @param seeds how many seeds, counted up from the configuration's
   * @param only the names of the runs that are wanted; empty: all
   * @param epochs another limit of epochs, for a trial
   * @param threads of each run
   */
  static List<PlannedRun> of(
      Study study, int seeds, List<String> only, OptionalInt epochs, int threads) {
    List<RunSpec> specs = specs(study, only);
    List<PlannedRun> result = new ArrayList<>();
    for (int i = 0; i < seeds; i++) {
      for (RunSpec spec : specs) {
        result.add(plan(study, spec, i, epochs, threads));
      }
    }
    if (study.kind() == Kind.SEARCH) {
      checkWatched(result);
    }
    return List.copyOf(result);
  }

  /**
   * The runs of one seed whose configurations can be read: those that may have ended before.
   *
   * @param place 0 for the first
   */
  static List<PlannedRun> possible(Study study, int place, OptionalInt epochs, int threads) {
    return specs(study, List.of()).stream()
        .map(spec -> readable(study, spec, place, epochs, threads))
        .flatMap(Optional::stream)
        .toList();
  }

  private static Optional<PlannedRun> readable(
      Study study, RunSpec spec, int place, OptionalInt epochs, int threads) {
    try {
      return Optional.of(plan(study, spec, place, epochs, threads));
    } catch (ConfigException e) {
      return Optional.empty();
    }
  }

  /** The runs of one seed, those of {@code only} where it names any. */
  static List<RunSpec> specs(Study study, List<String> only) {
    List<RunSpec> specs = study.kind() == Kind.SEARCH ? trials(study) : study.runs();
    List<String> names = specs.stream().map(RunSpec::name).toList();
    for (String name : only) {
      if (!names.contains(name)) {
        throw new ConfigException(
            "--only names '" + name + "', want some of " + String.join(", ", names));
      }
    }
    return only.isEmpty() ? specs : specs.stream().filter(s -> only.contains(s.name())).toList();
  }

  /**
   * The trials of a search, no two alike. Each has draws of its own: with more trials the first
   * stay.
   *
   * @throws ConfigException where the space has fewer points than trials are wanted
   */
  static List<RunSpec> trials(Study study) {
    List<RunSpec> result = new ArrayList<>();
    Set<Map<String, JsonNode>> before = new HashSet<>();
    for (int t = 1; t <= study.trials(); t++) {
      SplittableRandom random = new SplittableRandom(study.seed() * 1_000_003L + t);
      Map<String, JsonNode> drawn = draw(study, random);
      for (int again = 0; again < REDRAWS && before.contains(drawn); again++) {
        drawn = draw(study, random);
      }
      if (!before.add(drawn)) {
        throw new ConfigException(
            "trials is %d, but the space gives no more than %d different ones; want a larger space or fewer trials"
                .formatted(study.trials(), before.size()));
      }
      // Two digits at least, whatever the count of trials: with more, the first keep their names.
      String name = String.format(Locale.ROOT, "trial-%02d", t);
      result.add(new RunSpec(name, Optional.empty(), "", drawn, List.of()));
    }
    return result;
  }

  private static Map<String, JsonNode> draw(Study study, SplittableRandom random) {
    Map<String, JsonNode> drawn = new LinkedHashMap<>();
    for (Dimension dimension : study.space()) {
      JsonNode value = dimension.draw(random);
      dimension.keys().forEach(key -> drawn.put(key, value));
    }
    return drawn;
  }

  private static PlannedRun plan(
      Study study, RunSpec spec, int place, OptionalInt epochs, int threads) {
    try {
      ConfigTree changed = study.base(spec).with(study.set()).with(spec.set());
      // The configuration's own seed is the first; reading it checks all the rest.
      long first = changed.config().training().seed();
      if (first + place > Integer.MAX_VALUE) {
        throw new ConfigException(
            "training.seed is %d, want %d or less with --seeds %d or more"
                .formatted(first, Integer.MAX_VALUE - place, place + 1));
      }
      int seed = (int) first + place;
      JsonNodeFactory nodes = JsonNodeFactory.instance;
      Map<String, JsonNode> own = new LinkedHashMap<>();
      own.put("name", nodes.stringNode(spec.name()));
      own.put("training.seed", nodes.numberNode(seed));
      own.put("training.threads", nodes.numberNode(threads));
      epochs.ifPresent(limit -> own.put("training.epochs", nodes.numberNode(limit)));
      ConfigTree tree = changed.with(own);
      RunConfig config = tree.config();
      checkData(config, changed.path());
      return new PlannedRun(spec, seed, place == 0, tree, config);
    } catch (ConfigException e) {
      throw spec.wrong(e.getMessage());
    }
  }

  /** The best is chosen by one figure. */
  private static void checkWatched(List<PlannedRun> runs) {
    String first = runs.getFirst().config().training().plateau().watch();
    for (PlannedRun run : runs) {
      String watched = run.config().training().plateau().watch();
      if (!watched.equals(first)) {
        throw run.spec()
            .wrong(
                "training.plateau.watch is '%s', want '%s' as in run '%s': a search chooses by one figure"
                    .formatted(watched, first, runs.getFirst().spec().name()));
      }
    }
  }

  /** Models are chosen by the validation data and compared by the test data. */
  private static void checkData(RunConfig config, String path) {
    if (!config.data().hasValid() || !config.data().hasTest()) {
      throw new ConfigException(path + " data has no valid or no test split, a study wants both");
    }
  }
}
