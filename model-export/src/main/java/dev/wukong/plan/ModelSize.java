package dev.wukong.plan;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.TableRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model costs.
 *
 * @param tables its embedding tables
 * @param numbers that a candidate has besides ids
 * @param dense weights that are no rows
 * @param graphMicros microseconds of one core that its predict graph takes for a candidate, among
 *     several hundred
 */
public record ModelSize(List<TableLoad> tables, int numbers, long dense, double graphMicros) {
  public ModelSize {
    tables = List.copyOf(tables);
    if (tables.isEmpty()) {
      throw new IllegalArgumentException("the model has no table");
    }
    Traffic.require("--dense", (double) dense, 1, 1e12);
    Traffic.require("--graph-micros", graphMicros, 0.01, 1e6);
  }

  /** That of a bundle, whose rows may grow to {@code growth} times as many. */
  public static ModelSize of(Bundle bundle, double graphMicros, double growth) throws IOException {
    InputLayout layout = bundle.layout();
    List<TableLoad> tables = new ArrayList<>();
    for (TableRows table : bundle.manifest().tables()) {
      tables.add(
          new TableLoad(
              Math.max(1, Math.round(table.rows() * growth)),
              table.table().width(),
              ids(layout, table.table(), Scope.CONTEXT),
              ids(layout, table.table(), Scope.CANDIDATE)));
    }
    // A graph is little else than its weights; who goes on with a bundle's training has more of
    // them.
    long dense = Math.max(1, bundle.graph(Precision.FP32.file()).length / Float.BYTES);
    return new ModelSize(tables, layout.denseWidth(Scope.CANDIDATE), dense, graphMicros);
  }

  private static int ids(InputLayout layout, Table table, Scope scope) {
    return layout.columns().stream()
        .filter(c -> c.table().equals(table) && c.feature().scope() == scope)
        .map(IdColumns::feature)
        .mapToInt(f -> f.maxIds())
        .sum();
  }

  /** All rows. */
  public long rows() {
    return tables.stream().mapToLong(TableLoad::rows).sum();
  }

  int contextIds() {
    return tables.stream().mapToInt(TableLoad::contextIds).sum();
  }

  int candidateIds() {
    return tables.stream().mapToInt(TableLoad::candidateIds).sum();
  }

  /** Floats of rows that a candidate reads. */
  int candidateFloats() {
    return tables.stream().mapToInt(t -> t.candidateIds() * t.width()).sum();
  }
}
