package dev.wukong.standalone;

import dev.wukong.data.Group;
import dev.wukong.data.IdColumns;
import dev.wukong.data.IdFeature;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What stands before a bundle's graph in a self-contained one: from positions to the slots of all
 * rows, which are the tables of a group one after another behind one padding row.
 */
final class IdGraph {
  private final StandaloneInputs inputs;
  private final String prefix;
  private final GraphBuilder g = new GraphBuilder("ids", DataType.FLOAT);
  private final Map<String, Tensor> known = new HashMap<>();

  private IdGraph(StandaloneInputs inputs, String prefix) {
    this.inputs = inputs;
    this.prefix = prefix;
  }

  /**
   * The graph.
   *
   * @param prefix before the names of its outputs, the bundle's {@code slots} and {@code weights}
   */
  static Graph of(StandaloneInputs inputs, String prefix) {
    return new IdGraph(inputs, prefix).build();
  }

  /** Rows of {@code group}: a padding row, then those of each table. */
  static long rows(StandaloneInputs inputs, Group group) {
    return 1 + group.tables().stream().mapToLong(t -> rows(inputs, t)).sum();
  }

  /** The row of position 0 in {@code table} if it had one: position p is p rows further. */
  static long offset(StandaloneInputs inputs, Group group, Table table) {
    int place = group.tables().indexOf(table);
    return group.tables().subList(0, place).stream().mapToLong(t -> rows(inputs, t)).sum();
  }

  private static long rows(StandaloneInputs inputs, Table table) {
    return inputs.of(table.idSpace()).count() - 1L;
  }

  private Graph build() {
    InputLayout layout = inputs.layout();
    try (var _ = g.scope("ids")) {
      for (Scope scope : Scope.values()) {
        inputs.features(scope).forEach(columns -> input(columns.feature()));
        for (int group = 0; group < layout.groups().size(); group++) {
          if (layout.slotWidth(scope, group) > 0) {
            group(scope, group);
          }
        }
      }
    }
    return g.build();
  }

  private void input(IdFeature feature) {
    Dim rows = Dim.of(inputs.rows(feature.scope()));
    Tensor given = g.input(InputNames.ids(feature), DataType.INT64, rows, Dim.of(feature.maxIds()));
    // A negative index would count from the end, and one beyond it is undefined on a GPU.
    Tensor padded = g.apply(new Op.Max(), given, number(IdPositions.PADDING));
    int last = inputs.of(feature.idSpace()).count() - 1;
    Tensor beyond = g.apply(new Op.Greater(), padded, number(last));
    known.put(feature.name(), g.where(beyond, number(IdPositions.UNKNOWN), padded));
  }

  private void group(Scope scope, int index) {
    InputLayout layout = inputs.layout();
    Group group = layout.groups().get(index);
    List<Tensor> slots = new ArrayList<>();
    List<Tensor> weights = new ArrayList<>();
    for (IdColumns columns : layout.columns(scope, index)) {
      Tensor position = position(columns.feature());
      long offset = offset(inputs, group, columns.table());
      slots.add(
          offset == 0
              ? position
              : g.where(
                  g.apply(new Op.Greater(), position, number(IdPositions.PADDING)),
                  g.add(position, number(offset)),
                  position));
      weights.add(weights(columns.feature(), position));
    }
    g.output(prefix + InputNames.slots(scope, group), g.cast(g.concat(1, slots), DataType.INT32));
    if (layout.weighted(scope, index)) {
      g.output(prefix + InputNames.weights(scope, group), g.concat(1, weights));
    }
  }

  private Tensor position(IdFeature feature) {
    Tensor position = known.get(feature.name());
    if (position == null) {
      throw new IllegalStateException("no input for feature '%s'".formatted(feature.name()));
    }
    return position;
  }

  /** A weighted feature's own input, made at its first table; 1 for the others. */
  private Tensor weights(IdFeature feature, Tensor position) {
    if (!feature.weighted()) {
      return g.expandLike(g.constant(1), position);
    }
    String name = InputNames.weights(feature);
    return known.computeIfAbsent(
        name,
        n ->
            g.input(
                n, DataType.FLOAT, Dim.of(inputs.rows(feature.scope())), Dim.of(feature.maxIds())));
  }

  /** A scalar; rows of one file are far fewer than the integers that a double holds. */
  private Tensor number(long value) {
    return g.constant((double) value, DataType.INT64);
  }
}
