package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Reads one block of a request. Every length is checked before the first value is read. One use,
 * one thread.
 */
final class WireDecoder {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LE);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LE);
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LE);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(LE);

  private final ScopeColumns columns;
  private final int rows;
  private final MemorySegment counts;
  private final MemorySegment ids;
  private final MemorySegment stringLengths;
  private final MemorySegment strings;
  private final MemorySegment numbers;
  private final MemorySegment weights;
  private final MemorySegment dense;
  private final MemorySegment present;

  // Offsets of the next value, in bytes; presentAt in bits.
  private long countAt;
  private long idAt;
  private long lengthAt;
  private long stringAt;
  private long numberAt;
  private long weightAt;
  private long presentAt;

  WireDecoder(ScopeColumns columns, WireBlock block) {
    this.columns = columns;
    this.rows = block.rows();
    this.counts = segment(block.counts());
    this.ids = segment(block.ids());
    this.stringLengths = segment(block.stringLengths());
    this.strings = segment(block.strings());
    this.numbers = segment(block.numbers());
    this.weights = segment(block.weights());
    this.dense = segment(block.dense());
    this.present = segment(block.present());
    if (rows < 1 || rows > FeatureEncoder.MAX_ROWS) {
      throw new DataException(
          "%s: rows is %d; 1 to %d are allowed".formatted(name(), rows, FeatureEncoder.MAX_ROWS));
    }
    checkSizes();
  }

  private static MemorySegment segment(ByteBuffer buffer) {
    return MemorySegment.ofBuffer(buffer);
  }

  private String name() {
    return switch (columns.scope()) {
      case CONTEXT -> "context";
      case CANDIDATE -> "candidates";
    };
  }

  private void checkSizes() {
    long multi = columns.ids().stream().filter(c -> c.feature().multiValued()).count();
    checkSize("counts", counts, multi * rows, Integer.BYTES, "int32");
    long int64Values = 0;
    long stringValues = 0;
    long numberValues = 0;
    long weightValues = 0;
    long at = 0;
    for (ScopeColumns.Ids column : columns.ids()) {
      IdFeature feature = column.feature();
      long values = rows;
      if (feature.multiValued()) {
        values = 0;
        for (int row = 0; row < rows; row++, at += Integer.BYTES) {
          int count = counts.get(INT, at);
          if (count < 0 || count > IdFeature.MAX_IDS) {
            throw bad(
                feature, row, count + " values", "0 to " + IdFeature.MAX_IDS + " are allowed");
          }
          values += count;
        }
      }
      if (feature.bucketed()) {
        numberValues += values;
      } else {
        switch (feature.type()) {
          case INT64 -> int64Values += values;
          case STRING -> stringValues += values;
        }
      }
      weightValues += feature.weighted() ? values : 0;
    }
    checkSize("ids", ids, int64Values, Long.BYTES, "int64");
    checkSize("string_lengths", stringLengths, stringValues, Integer.BYTES, "int32");
    checkSize("numbers", numbers, numberValues, Double.BYTES, "float64");
    checkSize("weights", weights, weightValues, Float.BYTES, "float32");
    long numbersARow = columns.numbers().stream().mapToLong(n -> n.feature().width()).sum();
    checkSize("dense", dense, numbersARow * rows, Float.BYTES, "float32");
    checkStrings();
    checkPresent();
  }

  private void checkSize(
      String field, MemorySegment bytes, long values, int valueBytes, String type) {
    if (bytes.byteSize() != values * valueBytes) {
      throw new DataException(
          "%s.%s has %d bytes; %d are needed (%d %s values)"
              .formatted(name(), field, bytes.byteSize(), values * valueBytes, values, type));
    }
  }

  private void checkStrings() {
    long total = 0;
    for (long at = 0; at < stringLengths.byteSize(); at += Integer.BYTES) {
      int length = stringLengths.get(INT, at);
      if (length < 0 || length > FeatureEncoder.MAX_STRING) {
        throw new DataException(
            "%s.string_lengths: value %d is %d; 0 to %d are allowed"
                .formatted(name(), at / Integer.BYTES, length, FeatureEncoder.MAX_STRING));
      }
      total += length;
    }
    if (strings.byteSize() != total) {
      throw new DataException(
          "%s.strings has %d bytes; string_lengths add up to %d"
              .formatted(name(), strings.byteSize(), total));
    }
  }

  private void checkPresent() {
    if (present.byteSize() == 0) {
      return;
    }
    long features =
        columns.ids().stream().filter(c -> !c.feature().multiValued()).count()
            + columns.numbers().stream().filter(n -> n.feature().optional()).count();
    long bits = features * rows;
    long bytes = (bits + 7) / 8;
    if (present.byteSize() != bytes) {
      throw new DataException(
          "%s.present has %d bytes; %d are needed (%d bits), or none"
              .formatted(name(), present.byteSize(), bytes, bits));
    }
    if (bits % 8 != 0 && present.get(ValueLayout.JAVA_BYTE, bytes - 1) >>> (bits % 8) != 0) {
      throw new DataException(
          "%s.present has a bit set after its %d bits; unused bits must be 0"
              .formatted(name(), bits));
    }
  }

  /** Reads all rows into {@code target}. */
  void decode(EncodedRows target, EncodingCounts tally) {
    clear(target);
    for (ScopeColumns.Ids column : columns.ids()) {
      if (column.feature().multiValued()) {
        decodeMany(column, target, tally);
      } else if (plain(column.feature())) {
        decodeInt64(column, target, tally);
      } else {
        decodeOne(column, target, tally);
      }
    }
    decodeNumbers(target, tally);
  }

  /** Makes every value absent that is not written for each row. */
  private void clear(EncodedRows target) {
    if (columns.weighted() || columns.denseWidth() > 0) {
      for (int row = 0; row < rows; row++) {
        FeatureEncoder.clear(columns, target, row);
      }
    } else {
      Arrays.fill(target.ids(), 0, rows * columns.positions(), RowKey.NONE);
    }
  }

  /** As {@link #decodeOne} for integers that are all there, as most are. */
  private void decodeInt64(ScopeColumns.Ids column, EncodedRows target, EncodingCounts tally) {
    IdMapper mapper = column.mapper();
    long[] to = target.ids();
    int at = column.position();
    long from = idAt;
    for (int row = 0; row < rows; row++) {
      long id = mapper.idOf(ids.get(LONG, from));
      if (id == RowKey.UNSEEN) {
        tally.addUnseen();
      }
      to[at] = id;
      at += columns.positions();
      from += Long.BYTES;
    }
    idAt = from;
  }

  private void decodeOne(ScopeColumns.Ids column, EncodedRows target, EncodingCounts tally) {
    for (int row = 0; row < rows; row++) {
      int at = row * columns.positions() + column.position();
      boolean there = nextPresent();
      long id = nextId(column, row, there);
      if (id == RowKey.MISSING) {
        tally.addMissing();
      } else if (id == RowKey.UNSEEN) {
        tally.addUnseen();
      }
      target.ids()[at] = id;
      if (column.feature().weighted()) {
        float weight = nextWeight(column.feature(), row);
        target.weights()[at] = id == RowKey.MISSING ? 1 : weight;
      }
    }
  }

  private boolean plain(IdFeature feature) {
    return feature.type() == ValueType.INT64
        && !feature.bucketed()
        && !feature.weighted()
        && present.byteSize() == 0;
  }

  private void decodeMany(ScopeColumns.Ids column, EncodedRows target, EncodingCounts tally) {
    IdFeature feature = column.feature();
    // Absent values (empty strings) do not count against the positions, so the row is read into
    // place
    // from a ring of the newest.
    long[] newest = new long[feature.maxIds()];
    float[] newestWeights = new float[feature.maxIds()];
    for (int row = 0; row < rows; row++) {
      int count = counts.get(INT, countAt);
      countAt += Integer.BYTES;
      int kept = 0;
      for (int i = 0; i < count; i++) {
        long id = nextId(column, row, true);
        float weight = feature.weighted() ? nextWeight(feature, row) : 1;
        if (id != RowKey.MISSING) {
          newest[kept % newest.length] = id;
          newestWeights[kept % newest.length] = weight;
          kept++;
        }
      }
      place(column, target, row, newest, newestWeights, kept, tally);
    }
  }

  /** Writes the newest of {@code kept} values, which lie in rings, to their positions in order. */
  private void place(
      ScopeColumns.Ids column,
      EncodedRows target,
      int row,
      long[] ring,
      float[] weightRing,
      int kept,
      EncodingCounts tally) {
    int used = Math.min(kept, ring.length);
    int at = row * columns.positions() + column.position();
    for (int i = 0; i < used; i++) {
      int from = (kept - used + i) % ring.length;
      target.ids()[at + i] = ring[from];
      if (ring[from] == RowKey.UNSEEN) {
        tally.addUnseen();
      }
      if (column.feature().weighted()) {
        target.weights()[at + i] = weightRing[from];
      }
    }
    tally.addTruncated(kept - used);
  }

  private void decodeNumbers(EncodedRows target, EncodingCounts tally) {
    long at = 0;
    for (DenseColumns column : columns.numbers()) {
      NumberFeature feature = column.feature();
      for (int row = 0; row < rows; row++) {
        boolean there = !feature.optional() || nextPresent();
        int to = row * columns.denseWidth() + column.start();
        for (int i = 0; i < feature.width(); i++, at += Float.BYTES) {
          float value = dense.get(FLOAT, at);
          if (there) {
            if (!Float.isFinite(value)) {
              throw bad(feature, row, Float.toString(value), "a finite number is needed");
            }
            target.dense()[to + i] = value;
          }
        }
        if (feature.optional()) {
          target.dense()[column.presence() + row * columns.denseWidth()] = there ? 1 : 0;
          if (!there) {
            tally.addMissing();
          }
        }
      }
    }
  }

  /** The id of the column's next value, {@link RowKey#MISSING} where it is absent or empty. */
  private long nextId(ScopeColumns.Ids column, int row, boolean there) {
    IdFeature feature = column.feature();
    if (feature.bucketed()) {
      double value = numbers.get(DOUBLE, numberAt);
      numberAt += Double.BYTES;
      if (there && !Double.isFinite(value)) {
        throw bad(feature, row, Double.toString(value), "a finite number is needed");
      }
      return there ? column.mapper().idOf(value) : RowKey.MISSING;
    }
    return switch (feature.type()) {
      case INT64 -> {
        long value = ids.get(LONG, idAt);
        idAt += Long.BYTES;
        yield there ? column.mapper().idOf(value) : RowKey.MISSING;
      }
      case STRING -> {
        int length = stringLengths.get(INT, lengthAt);
        lengthAt += Integer.BYTES;
        long from = stringAt;
        stringAt += length;
        yield there && length > 0 ? stringId(column, row, from, length) : RowKey.MISSING;
      }
    };
  }

  private long stringId(ScopeColumns.Ids column, int row, long from, int length) {
    long id = column.mapper().idOf(strings, from, length);
    // What a vocabulary knows is UTF-8 already.
    if (id == RowKey.UNSEEN || !(column.mapper() instanceof IdMapper.ByVocabulary)) {
      int malformed = Utf8.malformed(strings, from, length);
      if (malformed >= 0) {
        int value = strings.get(ValueLayout.JAVA_BYTE, from + malformed) & 0xFF;
        throw bad(
            column.feature(),
            row,
            "a string of %d bytes that is malformed at byte %d (0x%02x)"
                .formatted(length, malformed, value),
            "UTF-8 is needed");
      }
    }
    return id;
  }

  private float nextWeight(IdFeature feature, int row) {
    float weight = weights.get(FLOAT, weightAt);
    weightAt += Float.BYTES;
    if (!(weight >= 0 && weight <= FeatureEncoder.MAX_WEIGHT)) {
      throw bad(feature, row, "weight " + weight, "0 to 1e9 are allowed");
    }
    return weight;
  }

  private boolean nextPresent() {
    if (present.byteSize() == 0) {
      return true;
    }
    long bit = presentAt++;
    return (present.get(ValueLayout.JAVA_BYTE, bit >>> 3) >>> (bit & 7) & 1) != 0;
  }

  private DataException bad(Feature feature, int row, String what, String allowed) {
    return new DataException(
        "%s: feature '%s', row %d: %s; %s".formatted(name(), feature.name(), row, what, allowed));
  }
}
