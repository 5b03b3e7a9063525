package dev.wukong.serving.inference;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.UnsafeByteOperations;
import dev.wukong.data.DataException;
import dev.wukong.proto.inference.InferTensorContents;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferRequest.InferInputTensor;
import dev.wukong.text.ShownText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The input tensors of one request by name, with their values as little-endian bytes whichever way
 * they came. One thread.
 */
final class InferenceTensors {
  /** A tensor of more values is no request. */
  private static final long MOST = 1L << 28;

  private static final int MOST_DIMENSIONS = 8;

  /** Bytes before each string. */
  private static final int LENGTH = 4;

  /**
   * One tensor.
   *
   * @param rows the first dimension
   * @param width the product of the others
   * @param bytes raw contents; strings each after their length
   */
  record Values(String name, int rows, int width, ByteString bytes) {}

  private final ModelInferRequest request;
  private final Map<String, Integer> indices = new HashMap<>();
  private final Set<String> used = new HashSet<>();

  /**
   * The tensors of {@code request}.
   *
   * @throws DataException if two have one name, or raw contents are not one for each
   */
  InferenceTensors(ModelInferRequest request) {
    this.request = request;
    for (int i = 0; i < request.getInputsCount(); i++) {
      String name = request.getInputs(i).getName();
      if (indices.put(name, i) != null) {
        throw new DataException("inputs: '%s' is there twice".formatted(ShownText.of(name)));
      }
    }
    int raw = request.getRawInputContentsCount();
    if (raw > 0 && raw != request.getInputsCount()) {
      throw new DataException(
          "raw_input_contents has %d entries; one for each of %d inputs is needed, or none"
              .formatted(raw, request.getInputsCount()));
    }
  }

  /**
   * The tensor called {@code name}; null where there is none.
   *
   * @throws DataException if it is of another type, or its contents do not fit its shape
   */
  @Nullable Values find(String name, Datatype datatype) {
    Integer index = indices.get(name);
    if (index == null) {
      return null;
    }
    used.add(name);
    InferInputTensor tensor = request.getInputs(index);
    if (!tensor.getDatatype().equals(datatype.name())) {
      throw new DataException(
          "inputs: '%s' is %s; %s is needed"
              .formatted(name, ShownText.of(tensor.getDatatype()), datatype));
    }
    long values = values(tensor);
    int rows = Math.toIntExact(tensor.getShape(0));
    requireOneForm(tensor, datatype);
    ByteString bytes =
        request.getRawInputContentsCount() > 0
            ? request.getRawInputContents(index)
            : typed(datatype, tensor.getContents());
    int size = datatype.size();
    if (size > 0 && bytes.size() != values * size) {
      throw new DataException(
          "inputs: '%s' has %d bytes; %d are needed (%d values of %s)"
              .formatted(name, bytes.size(), values * size, values, datatype));
    }
    if (size == 0 && bytes.size() < values * LENGTH) {
      throw new DataException(
          ("inputs: '%s' has %d bytes; %d or more are needed (%d strings, each after its length in"
                  + " %d bytes)")
              .formatted(name, bytes.size(), values * LENGTH, values, LENGTH));
    }
    return new Values(name, rows, (int) (values / rows), bytes);
  }

  /**
   * Rows of the tensor called {@code name}, by its shape alone; 0 where there is none.
   *
   * @throws DataException if it has no such shape
   */
  int rows(String name) {
    Integer index = indices.get(name);
    if (index == null) {
      return 0;
    }
    InferInputTensor tensor = request.getInputs(index);
    var _ = values(tensor);
    return Math.toIntExact(tensor.getShape(0));
  }

  /** How many values the shape has room for; fails where it is no shape of rows. */
  private static long values(InferInputTensor tensor) {
    String name = ShownText.of(tensor.getName());
    if (tensor.getShapeCount() > MOST_DIMENSIONS) {
      throw new DataException(
          "inputs: '%s' has %d dimensions; up to %d are allowed"
              .formatted(name, tensor.getShapeCount(), MOST_DIMENSIONS));
    }
    List<Long> shape = tensor.getShapeList();
    long values = 1;
    for (long dimension : shape) {
      if (dimension < 0 || dimension > MOST || values > MOST) {
        throw new DataException("inputs: '%s' has the shape %s".formatted(name, shape));
      }
      values *= dimension;
    }
    if (shape.isEmpty() || values > MOST || shape.getFirst() == 0) {
      throw new DataException(
          "inputs: '%s' has the shape %s; one or more rows are needed".formatted(name, shape));
    }
    return values;
  }

  /** Fails if values came twice, or in the field of another type: some would not be looked at. */
  private void requireOneForm(InferInputTensor tensor, Datatype datatype) {
    boolean raw = request.getRawInputContentsCount() > 0;
    for (FieldDescriptor field : tensor.getContents().getAllFields().keySet()) {
      if (raw || !field.equals(datatype.contents())) {
        throw new DataException(
            "inputs: '%s' is %s and has %s; its values are needed in %s alone"
                .formatted(
                    ShownText.of(tensor.getName()),
                    datatype,
                    field.getName(),
                    raw ? "raw_input_contents" : datatype.contents().getName()));
      }
    }
  }

  /** Fails if a tensor has not been asked for: its name is wrong. */
  void requireAllUsed(Set<String> allowed) {
    for (String name : indices.keySet()) {
      if (!used.contains(name)) {
        throw new DataException(
            "inputs: there is no '%s'; the model has %s"
                .formatted(ShownText.of(name), String.join(", ", allowed)));
      }
    }
  }

  private static ByteString typed(Datatype datatype, InferTensorContents contents) {
    return switch (datatype) {
      case BOOL -> {
        ByteBuffer bytes = room(contents.getBoolContentsCount());
        contents.getBoolContentsList().forEach(value -> bytes.put((byte) (value ? 1 : 0)));
        yield wrap(bytes);
      }
      case INT32 -> {
        ByteBuffer bytes = room(4L * contents.getIntContentsCount());
        contents.getIntContentsList().forEach(bytes::putInt);
        yield wrap(bytes);
      }
      case INT64 -> {
        ByteBuffer bytes = room(8L * contents.getInt64ContentsCount());
        contents.getInt64ContentsList().forEach(bytes::putLong);
        yield wrap(bytes);
      }
      case FP32 -> {
        ByteBuffer bytes = room(4L * contents.getFp32ContentsCount());
        contents.getFp32ContentsList().forEach(bytes::putFloat);
        yield wrap(bytes);
      }
      case FP64 -> {
        ByteBuffer bytes = room(8L * contents.getFp64ContentsCount());
        contents.getFp64ContentsList().forEach(bytes::putDouble);
        yield wrap(bytes);
      }
      case BYTES -> {
        long size = 0;
        for (ByteString value : contents.getBytesContentsList()) {
          size += 4L + value.size();
        }
        ByteBuffer bytes = room(size);
        for (ByteString value : contents.getBytesContentsList()) {
          bytes.putInt(value.size());
          value.copyTo(bytes);
        }
        yield wrap(bytes);
      }
    };
  }

  private static ByteBuffer room(long size) {
    return ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteString wrap(ByteBuffer bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes.flip());
  }
}
