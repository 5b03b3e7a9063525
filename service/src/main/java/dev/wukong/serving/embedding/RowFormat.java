package dev.wukong.serving.embedding;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How the numbers of a row are kept, in memory and at rest. A row that was kept once and is kept
 * again is the same one: however often it moves between store and memory, it is rounded once.
 */
public enum RowFormat {
  /** As they are: 4 bytes a number. */
  FP32(0, 0) {
    @Override
    int bytes(int width) {
      return width * Float.BYTES;
    }

    @Override
    void keep(float[] from, int offset, int width, MemorySegment to, long at) {
      MemorySegment.copy(from, offset, to, FLOAT, at, width);
    }

    @Override
    void floats(MemorySegment from, long at, int width, MemorySegment to, long toAt) {
      MemorySegment.copy(from, at, to, toAt, bytes(width));
    }

    @Override
    void halves(MemorySegment from, long at, int width, MemorySegment to, long toAt) {
      for (int i = 0; i < width; i++) {
        short half = Float.floatToFloat16(from.get(FLOAT, at + (long) i * Float.BYTES));
        to.set(HALF, toAt + (long) i * Short.BYTES, half);
      }
    }
  },

  /**
   * Half precision: 2 bytes a number, right to 11 binary digits. What is larger than 65,504 is kept
   * as that.
   */
  FP16(1, 2e-3) {
    @Override
    int bytes(int width) {
      return width * Short.BYTES;
    }

    @Override
    void keep(float[] from, int offset, int width, MemorySegment to, long at) {
      for (int i = 0; i < width; i++) {
        float value = from[offset + i];
        float bounded = Float.isInfinite(value) ? value : Math.clamp(value, -LARGEST, LARGEST);
        to.set(HALF, at + (long) i * Short.BYTES, Float.floatToFloat16(bounded));
      }
    }

    @Override
    void floats(MemorySegment from, long at, int width, MemorySegment to, long toAt) {
      for (int i = 0; i < width; i++) {
        float value = Float.float16ToFloat(from.get(HALF, at + (long) i * Short.BYTES));
        to.set(FLOAT, toAt + (long) i * Float.BYTES, value);
      }
    }

    @Override
    void halves(MemorySegment from, long at, int width, MemorySegment to, long toAt) {
      MemorySegment.copy(from, at, to, toAt, bytes(width));
    }
  },

  /**
   * A byte a number, and 4 for the row's scale: 254 equal steps from the largest number, negative,
   * to the largest, positive. A row with a number that is not finite is read as none that is.
   */
  INT8(2, 2e-2) {
    @Override
    int bytes(int width) {
      return Float.BYTES + width;
    }

    @Override
    void keep(float[] from, int offset, int width, MemorySegment to, long at) {
      float largest = 0;
      for (int i = 0; i < width; i++) {
        largest = Math.max(largest, Math.abs(from[offset + i])); // NaN where any is.
      }
      float scale = scale(largest);
      to.set(FLOAT, at, scale);
      for (int i = 0; i < width; i++) {
        double steps = scale == 0 ? 0 : Math.rint((double) from[offset + i] / scale);
        to.set(ValueLayout.JAVA_BYTE, at + Float.BYTES + i, (byte) steps);
      }
    }

    @Override
    void floats(MemorySegment from, long at, int width, MemorySegment to, long toAt) {
      float scale = from.get(FLOAT, at);
      for (int i = 0; i < width; i++) {
        float value = scale * from.get(ValueLayout.JAVA_BYTE, at + Float.BYTES + i);
        to.set(FLOAT, toAt + (long) i * Float.BYTES, value);
      }
    }

    @Override
    void halves(MemorySegment from, long at, int width, MemorySegment to, long toAt) {
      float scale = from.get(FLOAT, at);
      for (int i = 0; i < width; i++) {
        float value = scale * from.get(ValueLayout.JAVA_BYTE, at + Float.BYTES + i);
        to.set(HALF, toAt + (long) i * Short.BYTES, Float.floatToFloat16(value));
      }
    }
  };

  /** A number as it is kept, or read, anywhere. */
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The same in half precision. */
  static final ValueLayout.OfShort HALF =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The largest number of half precision. */
  private static final float LARGEST = 65504;

  /** Looked through once a value that is read. */
  private static final RowFormat[] ALL = values();

  /** From 0 to the largest number of a row. */
  private static final int STEPS = 127;

  private final int code;
  private final double tolerance;

  RowFormat(int code, double tolerance) {
    this.code = code;
    this.tolerance = tolerance;
  }

  /** Says at rest which it is; never changes. */
  int code() {
    return code;
  }

  /** The one of this {@link #code}, by which {@code key} is kept. */
  static RowFormat of(int code, long key) {
    for (RowFormat format : ALL) {
      if (format.code == code) {
        return format;
      }
    }
    throw new StoreException(
        "row %d is kept in format %d, which this build does not know".formatted(key, code), null);
  }

  /**
   * A step of a row whose largest number is this. Of 16 binary digits, so that its multiples are
   * exact: what is read is then kept by the same step again.
   */
  private static float scale(float largest) {
    int bits = Float.floatToRawIntBits(largest / STEPS);
    return Float.isFinite(largest) ? Float.intBitsToFloat((bits + 0xFF) & ~0xFF) : Float.NaN;
  }

  /** How far a probability of a model may move by it; more says that its rows do not suit it. */
  public double tolerance() {
    return tolerance;
  }

  /** Bytes of a row of {@code width} numbers. */
  abstract int bytes(int width);

  /** Keeps the row that begins at {@code offset}. */
  abstract void keep(float[] from, int offset, int width, MemorySegment to, long at);

  /** Reads the row kept at {@code at} as single precision. */
  abstract void floats(MemorySegment from, long at, int width, MemorySegment to, long toAt);

  /** Reads it as half precision. */
  abstract void halves(MemorySegment from, long at, int width, MemorySegment to, long toAt);

  /** Makes of rows side by side what they are once they were kept. */
  void round(float[] rows, int count, int width) {
    if (this == FP32) {
      return;
    }
    MemorySegment kept = MemorySegment.ofArray(new byte[bytes(width)]);
    MemorySegment all = MemorySegment.ofArray(rows);
    for (int i = 0; i < count; i++) {
      keep(rows, i * width, width, kept, 0);
      floats(kept, 0, width, all, (long) i * width * Float.BYTES);
    }
  }
}
