package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Manifest;
import dev.wukong.run.Precisions;
import dev.wukong.terminal.TextTable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import picocli.CommandLine.Command;

/** {@code inspect}. */
@Command(
    name = "inspect",
    description = "Says what a bundle holds.",
    mixinStandardHelpOptions = true)
final class InspectCommand extends BundleCommand {
  @Override
  public Integer call() throws Exception {
    try (Bundle open = open()) {
      Manifest manifest = open.manifest();
      PrintWriter out = spec.commandLine().getOut();
      out.printf(
          "model      %s version %d, made %s%n",
          manifest.model(), manifest.version(), manifest.created());
      out.printf(
          "network    %s %s%n", manifest.network().name(), manifest.network().hyperparameters());
      out.printf("schema     %s, id %s%n", manifest.schema().name(), manifest.schema().id());
      out.println();
      new SchemaTables(open).print(out);
      out.println();
      TextTable tables = new TextTable("table", "rows", "width");
      manifest
          .tables()
          .forEach(
              t ->
                  tables.row(
                      t.table().name(),
                      "%,d".formatted(t.rows()),
                      Integer.toString(t.table().width())));
      tables.print(out);
      out.println();
      out.printf(
          "trained on %,d examples, seed %d, by `%s`%n",
          manifest.provenance().rows(),
          manifest.provenance().seed(),
          manifest.provenance().command());
      out.println();
      metrics(manifest).print(out);
      out.println();
      new TreeMap<>(manifest.precisions())
          .forEach(
              (precision, graph) ->
                  out.printf(
                      "  %s; golden rows %.2g of %.2g allowed%n",
                      Precisions.line(precision, graph),
                      graph.goldenDifference(),
                      graph.tolerance()));
      TextTable files = new TextTable("file", "bytes", "sha256");
      manifest.files().forEach(f -> files.row(f.name(), "%,d".formatted(f.size()), f.sha256()));
      files.print(out);
      out.flush();
    }
    return 0;
  }

  /** A row for each task of each split; a figure that a split does not define is a dash. */
  private static TextTable metrics(Manifest manifest) {
    Set<String> names = new TreeSet<>();
    manifest.metrics().values().forEach(m -> m.values().forEach(t -> names.addAll(t.keySet())));
    List<String> header = new ArrayList<>(List.of("split", "task"));
    header.addAll(names);
    TextTable table = new TextTable(header.toArray(String[]::new));
    new TreeMap<>(manifest.metrics())
        .forEach(
            (split, tasks) ->
                tasks.forEach(
                    (task, metrics) -> {
                      List<String> cells = new ArrayList<>(List.of(split, task));
                      names.forEach(
                          name ->
                              cells.add(
                                  metrics.containsKey(name)
                                      ? String.format(Locale.ROOT, "%.6f", metrics.get(name))
                                      : "-"));
                      table.row(cells.toArray(String[]::new));
                    }));
    return table;
  }
}
