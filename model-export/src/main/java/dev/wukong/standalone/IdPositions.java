package dev.wukong.standalone;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.IdMapping;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The rows of one id space numbered from 0 without gaps, as they lie in a self-contained graph: the
 * padding row, the default row, then the rows of the ids in ascending order. All tables of the
 * space are numbered alike. Immutable, safe for all threads.
 */
public final class IdPositions {
  /** Of a place without an id: its row is zero. */
  public static final int PADDING = 0;

  /** Of an id that has no row: the table's default row. */
  public static final int UNKNOWN = 1;

  /** Of {@link RowKey#UNSEEN}. */
  public static final int UNSEEN = 2;

  /** Of {@link RowKey#MISSING}. */
  public static final int MISSING = 3;

  /** Of the first id that stands for a value. */
  public static final int FIRST = 4;

  private final int values;
  private final Optional<long[]> hashed;

  private IdPositions(int values, Optional<long[]> hashed) {
    this.values = values;
    this.hashed = hashed;
  }

  /**
   * The positions of {@code idSpace}: of all its ids where they can be counted, of those that have
   * a row where they are hashed.
   */
  static IdPositions of(Bundle bundle, String idSpace) {
    return switch (bundle.manifest().schema().ofSpace(idSpace).mapping()) {
      case IdMapping.Vocabulary _ ->
          new IdPositions(
              bundle.vocabularies().getOrDefault(idSpace, List.of()).size(), Optional.empty());
      case IdMapping.Buckets(var boundaries) ->
          new IdPositions(boundaries.size() + 1, Optional.empty());
      case IdMapping.Hash _ -> {
        long[] ids = stored(bundle, idSpace);
        yield new IdPositions(ids.length, Optional.of(ids));
      }
    };
  }

  private static long[] stored(Bundle bundle, String idSpace) {
    TreeSet<Long> ids = new TreeSet<>();
    for (Table table : bundle.layout().tables()) {
      if (table.idSpace().equals(idSpace)) {
        bundle.forEachRow(
            table,
            (id, row) -> {
              if (id >= RowKey.FIRST) {
                ids.add(id);
              }
            });
      }
    }
    return ids.stream().mapToLong(Long::longValue).toArray();
  }

  /** How many there are, padding included. */
  public int count() {
    return Math.addExact(FIRST, values);
  }

  /** The ids of the values that have a position, ascending; empty where all have one. */
  Optional<long[]> hashed() {
    return hashed.map(long[]::clone);
  }

  /** The position of {@code id}, or of {@link RowKey#NONE}. */
  public int position(long id) {
    if (id == RowKey.NONE) {
      return PADDING;
    }
    if (id < RowKey.FIRST) {
      return UNSEEN + (int) id;
    }
    if (hashed.isPresent()) {
      int found = Arrays.binarySearch(hashed.get(), id);
      return found < 0 ? UNKNOWN : FIRST + found;
    }
    long value = id - RowKey.FIRST;
    return value < values ? FIRST + (int) value : UNKNOWN;
  }
}
