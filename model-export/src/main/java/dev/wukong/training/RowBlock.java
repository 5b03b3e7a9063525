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
