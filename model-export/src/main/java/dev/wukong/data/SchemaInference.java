package dev.wukong.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Guesses a first schema from a file's values, for its owner to correct. */
public final class SchemaInference {
  /** Rows that are looked at. */
  private static final int ROWS = 100_000;

  private static final List<String> LABELS =
      List.of("label", "click", "clicked", "target", "y", "is_click", "conversion");

  /**
   * Columns named like these tell the answer, too: as features they would give it away to training,
   * and no request has them.
   */
  private static final Pattern LIKE_LABELS =
      Pattern.compile(
          "(?:(?:is|has|was)_?)?(?:labels?|targets?|click(?:s|ed)?|clk|convert(?:ed|s)?"
              + "|conversions?|purchase[ds]?|bought|buy|liked?|outcome|response|y)"
              + "|.*_labels?|label_.*|.*_target|target_.*|.*_?probability|.*_(?:clicked|converted"
              + "|purchased)");

  private static final Set<String> CONTEXT_WORDS =
      Set.of(
          "user",
          "uid",
          "member",
          "session",
          "query",
          "hour",
          "weekday",
          "daytime",
          "device",
          "country",
          "city",
          "age",
          "gender",
          "weather",
          "segment",
          "os",
          "browser",
          "language",
          "history");

  /** Columns that say when, not what: no features of their own. */
  private static final Set<String> TIMES = Set.of("timestamp", "ts", "time", "date", "datetime");

  private SchemaInference() {}

  /**
   * The YAML of a schema for {@code source}, with a comment above each guess.
   *
   * @throws DataException if no column can be the label, or none is left to be a feature
   */
  public static String infer(String name, RowSource source) {
    List<ColumnProfile> profiles = new ArrayList<>();
    List<String> columns = source.columns();
    for (String column : columns) {
      profiles.add(new ColumnProfile(column));
    }
    for (int row = 0; row < ROWS && source.next(); row++) {
      for (int i = 0; i < columns.size(); i++) {
        profiles.get(i).add(source.value(i));
      }
    }
    ColumnProfile label = label(profiles, source.name());
    Map<String, String> comments = new LinkedHashMap<>();
    List<Feature> features = new ArrayList<>();
    Set<String> names = new HashSet<>();
    boolean libsvm = columns.equals(List.of("label", "indices", "values"));
    List<String> leftOut = new ArrayList<>();
    List<ColumnProfile> labels = new ArrayList<>();
    List<ColumnProfile> weights = new ArrayList<>();
    for (ColumnProfile profile : profiles) {
      if (TIMES.contains(profile.column().toLowerCase(Locale.ROOT))) {
        leftOut.add(profile.column());
      } else if (profile != label
          && LIKE_LABELS.matcher(profile.column().toLowerCase(Locale.ROOT)).matches()) {
        labels.add(profile);
      } else if (profile.decimalLists() && !profile.vectors() && !libsvm) {
        weights.add(profile);
      } else if (profile != label && !(libsvm && profile.column().equals("values"))) {
        Feature feature = feature(free(plain(profile.column()), names), profile, libsvm);
        features.add(feature);
        comments.put("features." + feature.name(), profile.describe());
      }
    }
    if (features.isEmpty()) {
      throw new DataException(source.name() + " has no column but the label; a feature is needed");
    }
    Optional<Double> threshold = label.threshold();
    Task task = new Task("click", label.column(), threshold, Optional.empty());
    comments.put(
        "tasks.click",
        "guessed from the column's name; "
            + (threshold.isPresent()
                ? "%s, so the label is 1 from %s on".formatted(label.describe(), threshold.get())
                : label.describe()));
    Schema schema = new Schema(plain(name), features, List.of(task));
    return "# Inferred from %d rows of %s: check every line.\n"
            .formatted(source.row(), source.name())
        + (leftOut.isEmpty() ? "" : "# Left out: " + String.join(", ", leftOut) + ".\n")
        + leftOut(
            labels,
            "named like a label",
            "Make it a task if it is one, a feature only if it is known before the answer.")
        + leftOut(
            weights,
            "lists of different lengths of decimals",
            "If they weigh the ids of another feature, name the column there: weights.")
        + "# scope: context for what a request has once (user, time), candidate for what is"
        + " ranked.\n"
        + SchemaYaml.write(schema, comments);
  }

  /** A comment on each column that is no feature. */
  private static String leftOut(List<ColumnProfile> columns, String why, String advice) {
    return columns.stream()
        .map(c -> "# Left out, %s: %s (%s). %s\n".formatted(why, c.column(), c.describe(), advice))
        .collect(Collectors.joining());
  }

  private static ColumnProfile label(List<ColumnProfile> profiles, String source) {
    for (String name : LABELS) {
      for (ColumnProfile profile : profiles) {
        if (profile.column().toLowerCase(Locale.ROOT).equals(name) && profile.numeric()) {
          return profile;
        }
      }
    }
    throw new DataException(
        "%s has no column that looks like a label; one named %s is looked for"
            .formatted(source, String.join(", ", LABELS)));
  }

  private static Feature feature(String name, ColumnProfile profile, boolean libsvm) {
    Scope scope =
        Arrays.stream(profile.column().toLowerCase(Locale.ROOT).split("_", -1))
                .anyMatch(CONTEXT_WORDS::contains)
            ? Scope.CONTEXT
            : Scope.CANDIDATE;
    if (profile.number() || profile.vectors()) {
      return new NumberFeature(
          name,
          scope,
          profile.column(),
          profile.width(),
          profile.transform(),
          profile.missing() > 0);
    }
    IdMapping mapping = profile.manyValues() ? new IdMapping.Hash(0) : new IdMapping.Vocabulary(1);
    return new IdFeature(
        name,
        scope,
        profile.column(),
        profile.integers() ? ValueType.INT64 : ValueType.STRING,
        mapping,
        name,
        profile.maxIds(),
        Pooling.MEAN,
        libsvm ? Optional.of("values") : Optional.empty());
  }

  /** {@code name}, or the first of it and a number that is not taken; it is then. */
  private static String free(String name, Set<String> taken) {
    String free = name;
    for (int number = 2; !taken.add(free); number++) {
      free = name + "_" + number;
    }
    return free;
  }

  private static String plain(String name) {
    String plain = name.replaceAll("[^A-Za-z0-9_.-]", "_");
    return Character.isLetterOrDigit(plain.charAt(0)) ? plain : "f" + plain;
  }
}
