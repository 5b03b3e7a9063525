package dev.wukong.data;

import java.util.Optional;

/**
 * A categorical feature: up to {@code maxIds} ids a row, looked up in embedding tables.
 *
 * @param type the raw type of its values; where the mapping is buckets the values are numbers, and
 *     it is INT64 without meaning
 * @param idSpace the name of the id space; features that share it share the vocabulary and the
 *     tables (an item and the items seen before)
 * @param maxIds the number of positions; of more values the newest (last) are kept
 * @param weightColumn the column with one weight a value, where the feature is weighted
 * @param separator what stands between the values (and weights) of a multi-valued feature in one
 *     text cell
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
    Optional<String> weightColumn,
    String separator)
    implements Feature {

  /** What stands between the values of one text cell unless the schema says otherwise. */
  public static final String SEPARATOR = "|";

  /** The most values a row may have. */
  public static final int MAX_IDS = 4096;

  public IdFeature {
    if (mapping instanceof IdMapping.Buckets) {
      type = ValueType.INT64; // Without meaning there; one value, so that equal features are equal.
    }
    Names.check("feature", name);
    Names.check("id space of feature '" + name + "'", idSpace);
    Names.checkColumn(name, column);
    weightColumn.ifPresent(weight -> Names.checkColumn(name, weight));
    if (maxIds < 1 || maxIds > MAX_IDS) {
      throw new DataException(
          "feature '%s': max_ids is %d; 1 to %d are allowed".formatted(name, maxIds, MAX_IDS));
    }
    if (separator.isEmpty()) {
      throw new DataException(
          "feature '%s': separator is empty; at least one character is needed".formatted(name));
    }
  }

  /** A feature whose cells separate values by {@link #SEPARATOR}. */
  public IdFeature(
      String name,
      Scope scope,
      String column,
      ValueType type,
      IdMapping mapping,
      String idSpace,
      int maxIds,
      Pooling pooling,
      Optional<String> weightColumn) {
    this(name, scope, column, type, mapping, idSpace, maxIds, pooling, weightColumn, SEPARATOR);
  }

  public boolean multiValued() {
    return maxIds > 1;
  }

  public boolean weighted() {
    return weightColumn.isPresent();
  }

  /** Whether its raw values are numbers that are put into buckets. */
  public boolean bucketed() {
    return mapping instanceof IdMapping.Buckets;
  }
}
