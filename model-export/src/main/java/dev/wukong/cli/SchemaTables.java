package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.Feature;
import dev.wukong.data.IdColumns;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.terminal.TextTable;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The features and tasks of a bundle, as tables for people. */
final class SchemaTables {
  private final Bundle bundle;

  SchemaTables(Bundle bundle) {
    this.bundle = bundle;
  }

  void print(PrintWriter out) {
    TextTable features =
        new TextTable("feature", "type", "scope", "values", "ids", "vocabulary", "tables (width)");
    for (Feature feature : bundle.manifest().schema().features()) {
      String scope = feature.scope().name().toLowerCase(Locale.ROOT);
      switch (feature) {
        case IdFeature ids ->
            features.row(
                ids.name(),
                ids.bucketed() ? "number" : ids.type().name().toLowerCase(Locale.ROOT),
                scope,
                values(ids),
                mapping(ids),
                vocabulary(ids),
                tables(ids));
        case NumberFeature number ->
            features.row(number.name(), "number", scope, values(number), "-", "-", "-");
      }
    }
    features.print(out);
    out.println();
    TextTable tasks = new TextTable("task", "column", "label is 1 where", "weights");
    for (Task task : bundle.manifest().schema().tasks()) {
      tasks.row(
          task.name(),
          task.column(),
          task.threshold().map(t -> "at least " + plain(t)).orElse("1 or true"),
          task.weightColumn().map(column -> "column " + column).orElse("-"));
    }
    tasks.print(out);
  }

  private static String values(IdFeature ids) {
    String weights = ids.weightColumn().map(column -> ", weights " + column).orElse("");
    return ids.multiValued()
        ? "up to %d, %s%s"
            .formatted(ids.maxIds(), ids.pooling().name().toLowerCase(Locale.ROOT), weights)
        : "one" + weights;
  }

  private static String values(NumberFeature number) {
    return (number.width() > 1 ? "vector of " + number.width() : "one")
        + (number.transform() == Transform.NONE
            ? ""
            : ", " + number.transform().name().toLowerCase(Locale.ROOT))
        + (number.optional() ? ", optional" : "");
  }

  private static String mapping(IdFeature ids) {
    String mapping =
        switch (ids.mapping()) {
          case IdMapping.Vocabulary vocabulary ->
              vocabulary.minCount() > 1
                  ? "seen %d times or more".formatted(vocabulary.minCount())
                  : "vocabulary";
          case IdMapping.Hash hash ->
              hash.buckets() == 0 ? "hash to 48 bits" : "hash to %,d".formatted(hash.buckets());
          case IdMapping.Buckets buckets ->
              buckets.boundaries().stream()
                  .map(SchemaTables::plain)
                  .collect(Collectors.joining(", ", "cut at ", ""));
        };
    return ids.idSpace().equals(ids.name()) ? mapping : mapping + ", of " + ids.idSpace();
  }

  private String vocabulary(IdFeature ids) {
    List<String> values = bundle.vocabularies().get(ids.idSpace());
    return values == null ? "-" : "%,d".formatted(values.size());
  }

  private String tables(IdFeature ids) {
    return bundle.layout().columns().stream()
        .filter(column -> column.feature().equals(ids))
        .map(IdColumns::table)
        .map(table -> "%s (%d)".formatted(table.name(), table.width()))
        .collect(Collectors.joining(", "));
  }

  /** Without the point that whole numbers do not need. */
  private static String plain(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1e15
        ? Long.toString((long) number)
        : Double.toString(number);
  }
}
