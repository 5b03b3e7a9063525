package dev.wukong.data;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Packs rows of a source into the block of a request: the client's side of {@link
 * FeatureEncoder#encode}. Not thread-safe.
 */
public final class BlockWriter {
  /** What one feature has gathered, row by row. */
  private static final class Column {
    private final Feature feature;
    private final Cell cell;
    private final LittleEndianBytes counts = new LittleEndianBytes();
    private final LittleEndianBytes values = new LittleEndianBytes();
    private final LittleEndianBytes strings = new LittleEndianBytes();
    private final LittleEndianBytes weights = new LittleEndianBytes();
    private final BitSet absent = new BitSet();

    Column(Feature feature, RowSource source) {
      this.feature = feature;
      this.cell = Cell.of(source, feature);
    }

    void clear() {
      counts.clear();
      values.clear();
      strings.clear();
      weights.clear();
      absent.clear();
    }
  }

  private final List<Column> columns = new ArrayList<>();
  private final CellValues values = new CellValues();
  private int rows;

  /**
   * The writer of {@code source}'s values of the features in {@code scope}.
   *
   * @throws DataException if the source lacks a feature's column
   */
  public BlockWriter(Schema schema, Scope scope, RowSource source) {
    for (Feature feature : schema.features()) {
      if (feature.scope() == scope) {
        columns.add(new Column(feature, source));
      }
    }
  }

  /**
   * Adds the source's current row.
   *
   * @throws DataException if a value is wrong
   */
  public void add() {
    for (Column column : columns) {
      switch (column.feature) {
        case IdFeature ids -> addIds(column, ids);
        case NumberFeature number -> addNumbers(column, number);
      }
    }
    rows++;
  }

  /** Rows added since the last {@link #take}. */
  public int rows() {
    return rows;
  }

  private void addIds(Column column, IdFeature feature) {
    int found = values.read(feature, column.cell);
    int limit = feature.multiValued() ? IdFeature.MAX_IDS : 1;
    int kept = Math.min(found, limit);
    if (feature.multiValued()) {
      column.counts.addInt(kept);
    } else if (kept == 0) {
      column.absent.set(rows);
      addAbsent(column, feature);
      return;
    }
    for (int i = found - kept; i < found; i++) {
      addValue(column, feature, values.value(i));
      if (feature.weighted()) {
        column.weights.addFloat(values.weight(i));
      }
    }
  }

  private static void addAbsent(Column column, IdFeature feature) {
    if (feature.bucketed()) {
      column.values.addDouble(0);
    } else {
      switch (feature.type()) {
        case INT64 -> column.values.addLong(0);
        case STRING -> column.values.addInt(0);
      }
    }
    if (feature.weighted()) {
      column.weights.addFloat(1);
    }
  }

  private static void addValue(Column column, IdFeature feature, Object value) {
    if (feature.bucketed()) {
      column.values.addDouble(column.cell.toNumber(value));
      return;
    }
    switch (feature.type()) {
      case INT64 -> column.values.addLong(column.cell.toInt64(value));
      case STRING -> {
        byte[] utf8 = utf8(column.cell, column.cell.toText(value));
        column.values.addInt(utf8.length);
        column.strings.addBytes(utf8);
      }
    }
  }

  /** Half a surrogate pair would become a question mark, and so another id. */
  private static byte[] utf8(Cell cell, String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (!Character.isSurrogatePair(
            text.charAt(i), i + 1 < text.length() ? text.charAt(i + 1) : ' ')) {
          throw cell.bad(
              "has half a surrogate pair at character " + i, "text that UTF-8 can hold is needed");
        }
        i++;
      }
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void addNumbers(Column column, NumberFeature feature) {
    int found = values.read(feature, column.cell);
    if (found == 0 && feature.optional()) {
      column.absent.set(rows);
    } else if (found == 0) {
      throw column.cell.bad("is empty", "the feature is not optional, so a number is needed");
    }
    for (int i = 0; i < feature.width(); i++) {
      column.values.addFloat(found == 0 ? 0 : column.cell.toFloat(values.value(i)));
    }
  }

  /** The block of the rows added, which are then forgotten. */
  public WireBlock take() {
    LittleEndianBytes counts = new LittleEndianBytes();
    LittleEndianBytes ids = new LittleEndianBytes();
    LittleEndianBytes lengths = new LittleEndianBytes();
    LittleEndianBytes strings = new LittleEndianBytes();
    LittleEndianBytes numbers = new LittleEndianBytes();
    LittleEndianBytes weights = new LittleEndianBytes();
    LittleEndianBytes dense = new LittleEndianBytes();
    for (Column column : columns) {
      counts.addAll(column.counts);
      weights.addAll(column.weights);
      strings.addAll(column.strings);
      LittleEndianBytes values =
          switch (column.feature) {
            case NumberFeature _ -> dense;
            case IdFeature feature when feature.bucketed() -> numbers;
            case IdFeature feature ->
                switch (feature.type()) {
                  case INT64 -> ids;
                  case STRING -> lengths;
                };
          };
      values.addAll(column.values);
    }
    WireBlock block =
        new WireBlock(
            rows,
            counts.toBuffer(),
            ids.toBuffer(),
            lengths.toBuffer(),
            strings.toBuffer(),
            numbers.toBuffer(),
            weights.toBuffer(),
            dense.toBuffer(),
            present());
    columns.forEach(Column::clear);
    rows = 0;
    return block;
  }

  private ByteBuffer present() {
    if (columns.stream().allMatch(c -> c.absent.isEmpty())) {
      return ByteBuffer.allocate(0);
    }
    BitSet bits = new BitSet();
    int at = 0;
    // Single-valued ids first, then optional numbers.
    for (Column column : columns) {
      if (column.feature instanceof IdFeature ids && !ids.multiValued()) {
        at = append(bits, at, column);
      }
    }
    for (Column column : columns) {
      if (column.feature instanceof NumberFeature number && number.optional()) {
        at = append(bits, at, column);
      }
    }
    ByteBuffer bytes = ByteBuffer.allocate(Math.ceilDiv(at, 8));
    bytes.put(bits.toByteArray());
    return bytes.clear();
  }

  private int append(BitSet bits, int at, Column column) {
    for (int row = 0; row < rows; row++) {
      bits.set(at + row, !column.absent.get(row));
    }
    return Math.addExact(at, rows);
  }
}
