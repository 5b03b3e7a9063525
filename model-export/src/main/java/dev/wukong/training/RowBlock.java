package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A tensor of a batch whose first axis is the batch's rows, so that a range of rows is a tensor,
 * too.
 *
 * @param name of the graph's input or output
 * @param bytes all rows, direct
 * @param tail the other dimensions
 */
record RowBlock(String name, ByteBuffer bytes, OnnxJavaType type, long... tail) {
  /** All rows as {@code count} minibatches of equally many: [count, rows of each, tail...]. */
  OnnxTensor minibatches(OrtEnvironment environment, int count) throws OrtException {
    long[] shape = new long[tail.length + 2];
    shape[0] = count;
    shape[1] = rows() / count;
    System.arraycopy(tail, 0, shape, 2, tail.length);
    return OnnxTensor.createTensor(environment, bytes, shape, type);
  }

  /** All rows, in place. */
  OnnxTensor whole(OrtEnvironment environment) throws OrtException {
    return rows(environment, 0, Math.toIntExact(rows()));
  }

  /** Rows {@code from} to {@code to}, in place. */
  OnnxTensor rows(OrtEnvironment environment, int from, int to) throws OrtException {
    long[] shape = new long[tail.length + 1];
    shape[0] = to - (long) from;
    System.arraycopy(tail, 0, shape, 1, tail.length);
    ByteBuffer own =
        bytes
            .slice(Math.toIntExact(from * rowBytes()), Math.toIntExact(shape[0] * rowBytes()))
            .order(ByteOrder.nativeOrder());
    return OnnxTensor.createTensor(environment, own, shape, type);
  }

  private long rows() {
    return bytes.capacity() / rowBytes();
  }

  private long rowBytes() {
    long size = type.size;
    for (long dim : tail) {
      size *= dim;
    }
    return size;
  }
}
