package dev.wukong.standalone;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The inputs of a self-contained graph, by scope:
 *
 * <ul>
 *   <li>{@code ids.<scope>.<feature>} int64 [R or B, max ids]: an {@link IdPositions position} each
 *   <li>{@code weights.<scope>.<feature>} float [R or B, max ids], for weighted features
 *   <li>{@code dense.<scope>} float [R or B, k], as in every graph
 *   <li>{@code context_of} int32 [B], as in every graph, unless contexts are batched
 * </ul>
 *
 * @param positions by id space
 * @param batchContext whether each candidate brings a context of its own, so that all inputs have
 *     as many rows
 */
public record StandaloneInputs(
    InputLayout layout, Map<String, IdPositions> positions, boolean batchContext) {
  public StandaloneInputs {
    positions = Map.copyOf(positions);
  }

  static StandaloneInputs of(Bundle bundle, boolean batchContext) {
    Map<String, IdPositions> positions = new LinkedHashMap<>();
    bundle
        .layout()
        .tables()
        .forEach(
            table ->
                positions.computeIfAbsent(table.idSpace(), space -> IdPositions.of(bundle, space)));
    return new StandaloneInputs(bundle.layout(), positions, batchContext);
  }

  /** The positions of {@code idSpace}. */
  public IdPositions of(String idSpace) {
    IdPositions found = positions.get(idSpace);
    if (found == null) {
      throw new IllegalArgumentException("no table has ids of '%s'".formatted(idSpace));
    }
    return found;
  }

  /** The id features that are looked up, in order; each by the first of its tables. */
  public List<IdColumns> features(Scope scope) {
    Map<String, IdColumns> first = new LinkedHashMap<>();
    layout.columns(scope).forEach(c -> first.putIfAbsent(c.feature().name(), c));
    return List.copyOf(first.values());
  }

  /** Whether {@code context_of} is an input. */
  public boolean contextOf() {
    return !batchContext && layout.schema().hasContext();
  }

  /** The name of the first dimension of a scope's inputs: R contexts, B candidates. */
  String rows(Scope scope) {
    return scope == Scope.CONTEXT && !batchContext ? "R" : "B";
  }
}
