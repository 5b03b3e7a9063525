package dev.wukong.serving.inference;

import com.google.protobuf.ByteString;
import dev.wukong.data.DataException;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.proto.v1.Block;
import dev.wukong.serving.inference.InferenceTensors.Values;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Makes a block of one scope from its features' tensors. The values themselves are looked at by
 * whoever reads the block. One use, one thread.
 */
final class BlockTranslation {
  private static final ByteString NONE = ByteString.EMPTY;

  private final InferenceTensors tensors;
  private final Schema schema;
  private final Scope scope;
  private final int rows;
  private final List<ByteString> counts = new ArrayList<>();
  private final List<ByteString> ids = new ArrayList<>();
  private final List<ByteString> lengths = new ArrayList<>();
  private final List<ByteString> strings = new ArrayList<>();
  private final List<ByteString> numbers = new ArrayList<>();
  private final List<ByteString> weights = new ArrayList<>();
  private final List<ByteString> dense = new ArrayList<>();

  /** By feature that may be absent: a byte a row, null where all are there. */
  private final List<byte @Nullable []> present = new ArrayList<>();

  /**
   * A translation.
   *
   * @param rows of every tensor of the scope
   */
  BlockTranslation(InferenceTensors tensors, Schema schema, Scope scope, int rows) {
    this.tensors = tensors;
    this.schema = schema;
    this.scope = scope;
    this.rows = rows;
  }

  /** Rows of the scope's first tensor; 0 where it has none. */
  static int rows(InferenceTensors tensors, Schema schema, Scope scope) {
    for (IdFeature feature : schema.ids(scope)) {
      Values values = tensors.find(FeatureTensors.name(feature), FeatureTensors.datatype(feature));
      if (values != null) {
        return values.rows();
      }
    }
    for (NumberFeature feature : schema.numbers(scope)) {
      Values values = tensors.find(FeatureTensors.name(feature), Datatype.FP32);
      if (values != null) {
        return values.rows();
      }
    }
    return 0;
  }

  Block block() {
    for (IdFeature feature : schema.ids(scope)) {
      if (feature.multiValued()) {
        many(feature);
      } else {
        one(feature);
      }
    }
    for (NumberFeature feature : schema.numbers(scope)) {
      number(feature);
    }
    return Block.newBuilder()
        .setRows(rows)
        .setCounts(join(counts))
        .setIds(join(ids))
        .setStringLengths(join(lengths))
        .setStrings(join(strings))
        .setNumbers(join(numbers))
        .setWeights(join(weights))
        .setDense(join(dense))
        .setPresent(presentBits())
        .build();
  }

  private @Nullable Values find(String name, Datatype datatype, int width) {
    Values values = tensors.find(name, datatype);
    if (values == null) {
      return null;
    }
    if (values.rows() != rows) {
      throw new DataException(
          "inputs: '%s' has %d rows; %d are needed, as the other tensors of '%s' have"
              .formatted(name, values.rows(), rows, scope.name().toLowerCase(Locale.ROOT)));
    }
    if (width > 0 && values.width() != width) {
      throw new DataException(
          "inputs: '%s' has %d values a row; %d are needed".formatted(name, values.width(), width));
    }
    return values;
  }

  private void one(IdFeature feature) {
    String name = FeatureTensors.name(feature);
    Values values = find(name, FeatureTensors.datatype(feature), 1);
    present.add(values == null ? new byte[rows] : flags(feature));
    if (values == null) {
      Datatype datatype = FeatureTensors.datatype(feature);
      int size = datatype == Datatype.BYTES ? 4 : datatype.size(); // Of a string: its length, 0.
      add(feature, new Values(name, rows, 1, ByteString.copyFrom(new byte[rows * size])), null);
    } else {
      add(feature, values, null);
    }
    if (feature.weighted()) {
      Values own = find(FeatureTensors.weights(feature), Datatype.FP32, 1);
      weights.add(own == null ? ByteString.copyFrom(new byte[4 * rows]) : own.bytes());
      if (own == null && values != null) {
        throw new DataException(
            "inputs: '%s' is missing".formatted(FeatureTensors.weights(feature)));
      }
    }
  }

  private byte @Nullable [] flags(Feature feature) {
    Values flags = find(FeatureTensors.present(feature), Datatype.BOOL, 1);
    return flags == null ? null : flags.bytes().toByteArray();
  }

  private void many(IdFeature feature) {
    Values values = find(FeatureTensors.name(feature), FeatureTensors.datatype(feature), 0);
    if (values == null) {
      counts.add(ByteString.copyFrom(new byte[4 * rows]));
      return;
    }
    Values own = find(FeatureTensors.count(feature), Datatype.INT32, 1);
    int[] used = new int[rows];
    ByteBuffer bytes = ByteBuffer.allocate(4 * rows).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer given =
        own == null ? bytes : own.bytes().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < rows; row++) {
      used[row] = own == null ? values.width() : given.getInt(4 * row);
      if (used[row] < 0 || used[row] > values.width()) {
        throw new DataException(
            "inputs: '%s' has %d in row %d; 0 to %d are allowed"
                .formatted(FeatureTensors.count(feature), used[row], row, values.width()));
      }
      bytes.putInt(4 * row, used[row]);
    }
    counts.add(ByteString.copyFrom(bytes));
    add(feature, values, own == null ? null : used);
    if (feature.weighted()) {
      Values weight = find(FeatureTensors.weights(feature), Datatype.FP32, values.width());
      if (weight == null) {
        throw new DataException(
            "inputs: '%s' is missing".formatted(FeatureTensors.weights(feature)));
      }
      weights.add(own == null ? weight.bytes() : firsts(weight, 4, used));
    }
  }

  /**
   * Adds an id feature's values.
   *
   * @param used how many of each row; null: all
   */
  private void add(IdFeature feature, Values values, int @Nullable [] used) {
    switch (FeatureTensors.datatype(feature)) {
      case INT64 -> ids.add(used == null ? values.bytes() : firsts(values, 8, used));
      case FP64 -> numbers.add(used == null ? values.bytes() : firsts(values, 8, used));
      case BYTES -> addStrings(values, used);
      case BOOL, INT32, FP32 -> throw new IllegalStateException("no id feature is of such a type");
    }
  }

  private ByteString firsts(Values values, int size, int[] used) {
    List<ByteString> parts = new ArrayList<>(rows);
    for (int row = 0; row < rows; row++) {
      int from = row * values.width() * size;
      parts.add(values.bytes().substring(from, from + used[row] * size));
    }
    return join(parts);
  }

  private void addStrings(Values values, int @Nullable [] used) {
    ByteBuffer bytes = values.bytes().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer sizes =
        ByteBuffer.allocate(4 * rows * values.width()).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer text = ByteBuffer.allocate(bytes.remaining());
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < values.width(); i++) {
        int length = bytes.remaining() < 4 ? -1 : bytes.getInt();
        if (length < 0 || length > bytes.remaining()) {
          throw new DataException(
              "inputs: '%s', row %d: a string is cut off; each is its length (4 bytes) and its bytes"
                  .formatted(values.name(), row));
        }
        if (used == null || i < used[row]) {
          sizes.putInt(length);
          text.put(bytes.slice(bytes.position(), length));
        }
        bytes.position(bytes.position() + length);
      }
    }
    if (bytes.hasRemaining()) {
      throw new DataException(
          "inputs: '%s' has %d bytes after its last string"
              .formatted(values.name(), bytes.remaining()));
    }
    lengths.add(ByteString.copyFrom(sizes.flip()));
    strings.add(ByteString.copyFrom(text.flip()));
  }

  private void number(NumberFeature feature) {
    Values values = find(FeatureTensors.name(feature), Datatype.FP32, feature.width());
    if (values == null && !feature.optional()) {
      throw new DataException("inputs: '%s' is missing".formatted(FeatureTensors.name(feature)));
    }
    dense.add(
        values == null
            ? ByteString.copyFrom(new byte[4 * rows * feature.width()])
            : values.bytes());
    if (feature.optional()) {
      present.add(values == null ? new byte[rows] : flags(feature));
    }
  }

  private ByteString presentBits() {
    if (present.stream().allMatch(flags -> flags == null)) {
      return NONE;
    }
    byte[] bits = new byte[(present.size() * rows + 7) / 8];
    int bit = 0;
    for (byte @Nullable [] flags : present) {
      for (int row = 0; row < rows; row++, bit++) {
        if (flags == null || flags[row] != 0) {
          bits[bit >>> 3] |= (byte) (1 << (bit & 7));
        }
      }
    }
    return ByteString.copyFrom(bits);
  }

  private static ByteString join(List<ByteString> parts) {
    return parts.size() == 1 ? parts.getFirst() : ByteString.copyFrom(parts);
  }
}
