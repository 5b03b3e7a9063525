package dev.wukong.data;

/**
 * What the slots of one group stand for in the rows of one scope, by column.
 *
 * @param tables the bits of its keys that say which table
 * @param positions where its ids come from, from a row's first on
 * @param idsPerRow id positions of a row of the scope
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record SlotColumns(long[] tables, int[] positions, int idsPerRow) {
  /** Those of {@code layout}. */
  public static SlotColumns of(InputLayout layout, Scope scope, int group) {
    int width = layout.slotWidth(scope, group);
    SlotColumns all = new SlotColumns(new long[width], new int[width], layout.positions(scope));
    for (IdColumns columns : layout.columns(scope, group)) {
      for (int i = 0; i < columns.width(); i++) {
        all.tables[columns.start() + i] = RowKey.of(columns.table().ordinal(), 0);
        all.positions[columns.start() + i] = columns.position() + i;
      }
    }
    return all;
  }

  /** Columns. */
  public int width() {
    return positions.length;
  }

  /** The key of a column of a row whose ids are among {@code ids}; {@link RowKey#NONE}: none. */
  public long key(long[] ids, int row, int column) {
    long id = ids[row * idsPerRow + positions[column]];
    return id == RowKey.NONE ? RowKey.NONE : tables[column] | id;
  }
}
