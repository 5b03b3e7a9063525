package dev.wukong.data;

import java.util.Optional;

/**
 * A categorical feature: up to {@code maxIds} ids a row, looked up in embedding tables.
 *
 * @param idSpace the name of the id space; features that share it share the vocabulary and the
 *     tables (an item and the items seen before)
 * @param maxIds the number of positions; of more values the newest (last) are kept
 * @param weightColumn the column with one weight a value, where the feature is weighted
 */
public record IdFeature(
    String name,
    Scope scope,
    String column,
    ValueType type,
    IdMapping mapping,
    String idSpace,
    int maxIds,
    Pooling pooling,
    Optional<String> weightColumn)
    implements Feature {

  public boolean multiValued() {
    return maxIds > 1;
  }

  public boolean weighted() {
    return weightColumn.isPresent();
  }
}
