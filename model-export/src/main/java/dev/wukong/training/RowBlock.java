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
    long row = type.size;
    for (int i = 0; i < tail.length; i++) {
      shape[i + 2] = tail[i];
      row *= tail[i];
    }
    shape[0] = count;
    shape[1] = bytes.capacity() / row / count;
    return OnnxTensor.createTensor(environment, bytes, shape, type);
  }

  /** Rows {@code from} to {@code to}, in place. */
  OnnxTensor rows(OrtEnvironment environment, int from, int to) throws OrtException {
    long[] shape = new long[tail.length + 1];
    shape[0] = to - (long) from;
    long row = type.size;
    for (int i = 0; i < tail.length; i++) {
      shape[i + 1] = tail[i];
      row *= tail[i];
    }
    ByteBuffer own =
        bytes
            .slice(Math.toIntExact(from * row), Math.toIntExact(shape[0] * row))
            .order(ByteOrder.nativeOrder());
    return OnnxTensor.createTensor(environment, own, shape, type);
  }
}
