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

  /** As many values a row as there are, which may be none. */
  private static final int ANY = -1;

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
   * @param rows of every tensor of the scope, no more than a request may have
   */
  BlockTranslation(InferenceTensors tensors, Schema schema, Scope scope, int rows) {
    this.tensors = tensors;
    this.schema = schema;
    this.scope = scope;
    this.rows = rows;
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

  /**
   * The tensor called {@code name}; null where there is none.
   *
   * @param width values a row; {@link #ANY}
   */
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
    if (width != ANY && values.width() != width) {
      throw new DataException(
          "inputs: '%s' has %d values a row; %d are needed".formatted(name, values.width(), width));
    }
    return values;
  }

  private void one(IdFeature feature) {
    String name = FeatureTensors.name(feature);
    Datatype datatype = FeatureTensors.datatype(feature);
    Values values = find(name, datatype, 1);
    present.add(flags(feature, values != null));
    if (values == null) {
      int size = datatype == Datatype.BYTES ? 4 : datatype.size(); // Of a string: its length, 0.
      add(feature, new Values(name, rows, 1, ByteString.copyFrom(new byte[rows * size])), null);
    } else {
      add(feature, values, null);
    }
    if (feature.weighted()) {
      Values own = find(FeatureTensors.weights(feature), Datatype.FP32, 1);
      if (values == null) {
        requireNothing(feature, own);
        weights.add(ByteString.copyFrom(new byte[4 * rows]));
      } else {
        weights.add(required(FeatureTensors.weights(feature), own).bytes());
      }
    }
  }

  /**
   * Which rows have a value: a byte a row, null where all have.
   *
   * @param there whether there are values; the tensor may then say that some are absent
   */
  private byte @Nullable [] flags(Feature feature, boolean there) {
    Values flags = find(FeatureTensors.present(feature), Datatype.BOOL, 1);
    if (!there) {
      requireNothing(feature, flags);
      return new byte[rows];
    }
    return flags == null ? null : flags.bytes().toByteArray();
  }

  /** Fails if {@code companion} says anything of values that are not there. */
  private static void requireNothing(Feature feature, @Nullable Values companion) {
    if (companion == null) {
      return;
    }
    for (int i = 0; i < companion.bytes().size(); i++) {
      if (companion.bytes().byteAt(i) != 0) {
        throw new DataException(
            "inputs: '%s' is missing, which '%s' belongs to"
                .formatted(FeatureTensors.name(feature), companion.name()));
      }
    }
  }

  private static Values required(String name, @Nullable Values values) {
    if (values == null) {
      throw new DataException("inputs: '%s' is missing".formatted(name));
    }
    return values;
  }

  private void many(IdFeature feature) {
    Values values = find(FeatureTensors.name(feature), FeatureTensors.datatype(feature), ANY);
    if (values == null) {
      requireNothing(feature, find(FeatureTensors.count(feature), Datatype.INT32, 1));
      if (feature.weighted()) {
        requireNothing(feature, find(FeatureTensors.weights(feature), Datatype.FP32, ANY));
      }
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
      String name = FeatureTensors.weights(feature);
      Values weight = required(name, find(name, Datatype.FP32, values.width()));
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
    if (feature.optional()) {
      dense.add(
          values == null
              ? ByteString.copyFrom(new byte[4 * rows * feature.width()])
              : values.bytes());
      present.add(flags(feature, values != null));
    } else {
      dense.add(required(FeatureTensors.name(feature), values).bytes());
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
