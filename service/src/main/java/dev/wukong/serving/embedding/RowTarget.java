package dev.wukong.serving.embedding;

import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Where the rows of one group go, in the type that the graph takes. One request's thread. */
sealed interface RowTarget {
  /** The rows 1 to {@code count} of {@code inputs}, many of which are in {@code table}. */
  static RowTarget of(ModelInputs inputs, int group, int count, ResidentTable table) {
    MemorySegment rows = inputs.rows(group, count);
    return inputs.rowType() == Element.FLOAT16
        ? new Halves(rows, table.width(), table.copies())
        : new Floats(rows, table.width(), table.copies());
  }

  /** Copies the row at {@code place} of {@code table} to {@code slot}. */
  void copy(ResidentTable table, int place, int slot);

  /** Copies the rows at {@code places}, as far as they have one, to the slots from {@code slot}. */
  void copy(int[] places, int count, int slot);

  /** Copies the row at {@code offset} to {@code slot}. */
  void copy(float[] rows, int offset, int slot);

  /** In single precision, as they lie in memory. */
  record Floats(MemorySegment rows, int width, RowCopies copies) implements RowTarget {
    @Override
    public void copy(ResidentTable table, int place, int slot) {
      table.copyFloats(place, rows, (long) slot * width * Float.BYTES);
    }

    @Override
    public void copy(int[] places, int count, int slot) {
      copies.floats(places, count, rows, (long) slot * width * Float.BYTES);
    }

    @Override
    public void copy(float[] from, int offset, int slot) {
      long at = (long) slot * width * Float.BYTES;
      MemorySegment.copy(from, offset, rows, ValueLayout.JAVA_FLOAT, at, width);
    }
  }

  /** Rounded to half precision. */
  record Halves(MemorySegment rows, int width, RowCopies copies) implements RowTarget {
    @Override
    public void copy(ResidentTable table, int place, int slot) {
      table.copyHalves(place, rows, (long) slot * width * Short.BYTES);
    }

    @Override
    public void copy(int[] places, int count, int slot) {
      copies.halves(places, count, rows, (long) slot * width * Short.BYTES);
    }

    @Override
    public void copy(float[] from, int offset, int slot) {
      for (int i = 0; i < width; i++) {
        short half = Float.floatToFloat16(from[offset + i]);
        rows.setAtIndex(ValueLayout.JAVA_SHORT, (long) slot * width + i, half);
      }
    }
  }
}
