package dev.wukong.study;

import dev.wukong.terminal.TextTable;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;

/** A study's results as a table for the terminal. */
public final class Summary {
  private Summary() {}

  /** The table's lines, then one for each run that failed. */
  public static List<String> of(Study study, List<Result> results) {
    Groups groups = Groups.of(study, results);
    TextTable table =
        new TextTable(
            "run", "seeds", "valid AUC", "test AUC", "test LogLoss", "parameters", "MFLOP", "s");
    for (Groups.Group group : groups.all()) {
      Outcome first = group.first();
      table.row(
          group.name(),
          String.valueOf(group.outcomes().size()),
          text("%.6f", group.validAuc()),
          text("%.6f", group.mean(o -> o.of("test").auc())),
          text("%.6f", group.mean(o -> o.of("test").logLoss())),
          text("%,d", first.size().parameters()),
          text("%.2f", first.size().trainingFlops() / 1e6),
          text("%.0f", group.mean(o -> o.effort().seconds())));
    }
    StringWriter text = new StringWriter();
    try (PrintWriter out = new PrintWriter(text)) {
      table.print(out);
      ModelParts.tasks(groups).ifPresent(out::println);
      if (study.kind() == Kind.SEARCH) {
        groups
            .best()
            .ifPresent(best -> out.println("best of these by the validation data: " + best.name()));
      }
      groups.failures().forEach(f -> out.println(f.identity().label() + " FAILED: " + f.message()));
    }
    return text.toString().lines().toList();
  }

  /** Whether a search came to anything. */
  public static boolean hasBest(Study study, List<Result> results) {
    return Groups.of(study, results).best().isPresent();
  }

  private static String text(String format, Object value) {
    return String.format(Locale.ROOT, format, value);
  }
}
