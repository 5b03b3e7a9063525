package dev.wukong.data;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How encoded features become the graph's inputs: tables by group, columns by feature. It follows
 * from the schema and from the widths that the model gives each feature, so training and serving
 * derive it alike.
 *
 * @param tables by ordinal
 */
public record InputLayout(
    Schema schema,
    List<Table> tables,
    List<Group> groups,
    List<IdColumns> columns,
    List<DenseColumns> dense) {
  public InputLayout {
    tables = List.copyOf(tables);
    groups = List.copyOf(groups);
    columns = List.copyOf(columns);
    dense = List.copyOf(dense);
  }

  /**
   * The layout in which each id feature looks up one table for every width in {@code widths}; the
   * n-th table of an id space is shared by its features. Tables are called by their id space, those
   * after the first with their number.
   *
   * @param widths by feature name: the widths of its embeddings, in order; 0: no table at that
   *     place
   * @throws IllegalArgumentException if features of one id space ask for different widths of its
   *     n-th table
   */
  public static InputLayout of(Schema schema, Map<String, List<Integer>> widths) {
    Map<Place, Table> tables = new LinkedHashMap<>();
    Set<String> names = new HashSet<>();
    for (Feature feature : schema.features()) {
      if (feature instanceof IdFeature ids) {
        names.add(ids.idSpace());
      }
    }
    for (Feature feature : schema.features()) {
      if (feature instanceof IdFeature ids) {
        List<Integer> own = widths.getOrDefault(ids.name(), List.of());
        for (int n = 0; n < own.size(); n++) {
          if (own.get(n) == 0) {
            continue;
          }
          Place place = new Place(ids.idSpace(), n);
          Table table = tables.get(place);
          if (table == null) {
            String name = name(place, names);
            tables.put(place, new Table(tables.size(), name, ids.idSpace(), own.get(n)));
          } else if (table.width() != own.get(n)) {
            throw new IllegalArgumentException(
                "feature '%s' asks for width %d of table '%s', which has width %d"
                    .formatted(ids.name(), own.get(n), table.name(), table.width()));
          }
        }
      }
    }
    Map<Integer, List<Table>> byWidth = new LinkedHashMap<>();
    tables.values().forEach(t -> byWidth.computeIfAbsent(t.width(), w -> new ArrayList<>()).add(t));
    List<Group> groups =
        byWidth.entrySet().stream()
            .map(e -> new Group("d" + e.getKey(), e.getKey(), e.getValue()))
            .toList();
    List<Integer> groupWidths = List.copyOf(byWidth.keySet());

    List<IdColumns> columns = new ArrayList<>();
    List<DenseColumns> dense = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      List<IdFeature> ids = schema.ids(scope);
      int[] positions = new int[ids.size() + 1];
      for (int i = 0; i < ids.size(); i++) {
        positions[i + 1] = positions[i] + ids.get(i).maxIds();
      }
      int most = widths.values().stream().mapToInt(List::size).max().orElse(0);
      int[] next = new int[groups.size()];
      // All first tables, then all second ones: a model that takes them apart finds them together.
      for (int n = 0; n < most; n++) {
        for (int i = 0; i < ids.size(); i++) {
          IdFeature feature = ids.get(i);
          List<Integer> own = widths.getOrDefault(feature.name(), List.of());
          if (n < own.size() && own.get(n) > 0) {
            Table table = tables.get(new Place(feature.idSpace(), n));
            if (table == null) {
              throw new IllegalStateException("no table for " + feature.name());
            }
            int group = groupWidths.indexOf(table.width());
            columns.add(new IdColumns(feature, n, table, group, positions[i], next[group]));
            next[group] += feature.maxIds();
          }
        }
      }
      int start = 0;
      for (NumberFeature number : schema.numbers(scope)) {
        DenseColumns placed = new DenseColumns(number, start);
        dense.add(placed);
        start += placed.width();
      }
    }
    return new InputLayout(schema, List.copyOf(tables.values()), groups, columns, dense);
  }

  /** The n-th table of an id space, from 0. */
  private record Place(String idSpace, int n) {}

  /** A name that no table and no id space has yet: a feature may be called {@code item.2} too. */
  private static String name(Place place, Set<String> taken) {
    if (place.n() == 0) {
      return place.idSpace();
    }
    String prefix = place.idSpace();
    String name;
    do {
      prefix += ".";
      name = prefix + (place.n() + 1);
    } while (!taken.add(name));
    return name;
  }

  /** Id positions a row of {@code scope} has in {@link EncodedRows}. */
  public int positions(Scope scope) {
    return schema.ids(scope).stream().mapToInt(IdFeature::maxIds).sum();
  }

  /** Columns of {@code dense.<scope>}, presence columns included. */
  public int denseWidth(Scope scope) {
    return dense(scope).stream().mapToInt(DenseColumns::width).sum();
  }

  public List<DenseColumns> dense(Scope scope) {
    return dense.stream().filter(d -> d.feature().scope() == scope).toList();
  }

  public List<IdColumns> columns(Scope scope) {
    return columns.stream().filter(c -> c.feature().scope() == scope).toList();
  }

  public List<IdColumns> columns(Scope scope, int group) {
    return columns.stream()
        .filter(c -> c.group() == group && c.feature().scope() == scope)
        .toList();
  }

  /** Columns of {@code slots.<scope>.<group>}. */
  public int slotWidth(Scope scope, int group) {
    return columns(scope, group).stream().mapToInt(IdColumns::width).sum();
  }

  /** Whether {@code weights.<scope>.<group>} is an input: some feature there is weighted. */
  public boolean weighted(Scope scope, int group) {
    return columns(scope, group).stream().anyMatch(c -> c.feature().weighted());
  }
}
