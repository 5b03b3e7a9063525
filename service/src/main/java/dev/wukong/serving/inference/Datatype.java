package dev.wukong.serving.inference;

import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.wukong.proto.inference.DataType;
import dev.wukong.proto.inference.InferTensorContents;

/** The types of tensors that models take and give; the protocol calls them by these names. */
enum Datatype {
  BOOL(1, DataType.TYPE_BOOL, InferTensorContents.BOOL_CONTENTS_FIELD_NUMBER),
  INT32(4, DataType.TYPE_INT32, InferTensorContents.INT_CONTENTS_FIELD_NUMBER),
  INT64(8, DataType.TYPE_INT64, InferTensorContents.INT64_CONTENTS_FIELD_NUMBER),
  FP32(4, DataType.TYPE_FP32, InferTensorContents.FP32_CONTENTS_FIELD_NUMBER),
  FP64(8, DataType.TYPE_FP64, InferTensorContents.FP64_CONTENTS_FIELD_NUMBER),
  /** Strings, each after its length in 4 bytes. */
  BYTES(0, DataType.TYPE_STRING, InferTensorContents.BYTES_CONTENTS_FIELD_NUMBER);

  private final int size;
  private final DataType configured;
  private final int contents;

  Datatype(int size, DataType configured, int contents) {
    this.size = size;
    this.configured = configured;
    this.contents = contents;
  }

  /** Bytes of a value; 0 where values differ. */
  int size() {
    return size;
  }

  /** The field of typed contents that holds its values. */
  FieldDescriptor contents() {
    return InferTensorContents.getDescriptor().findFieldByNumber(contents);
  }

  /** What a model's configuration calls it. */
  DataType configured() {
    return configured;
  }
}
