package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Manifest;
import java.io.PrintWriter;
import java.util.TreeMap;
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
      manifest
          .metrics()
          .forEach(
              (split, tasks) ->
                  tasks.forEach(
                      (task, m) -> out.printf("  %-8s %-12s %s%n", split, task, new TreeMap<>(m))));
      new TreeMap<>(manifest.precisions())
          .forEach(
              (precision, graph) ->
                  out.printf(
                      "  %s; golden rows %.2g of %.2g allowed%n",
                      Precisions.line(precision, graph),
                      graph.goldenDifference(),
                      graph.tolerance()));
      manifest
          .files()
          .forEach(
              f ->
                  out.printf(
                      "  file     %-36s %,14d bytes  sha256 %s%n", f.name(), f.size(), f.sha256()));
      out.flush();
    }
    return 0;
  }
}
