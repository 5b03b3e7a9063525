package dev.wukong.serving.inference;

import dev.wukong.proto.inference.DataType;

/** The types of tensors that models take and give; the protocol calls them by these names. */
enum Datatype {
  BOOL(1, DataType.TYPE_BOOL),
  INT32(4, DataType.TYPE_INT32),
  INT64(8, DataType.TYPE_INT64),
  FP32(4, DataType.TYPE_FP32),
  FP64(8, DataType.TYPE_FP64),
  /** Strings, each after its length in 4 bytes. */
  BYTES(0, DataType.TYPE_STRING);

  private final int size;
  private final DataType configured;

  Datatype(int size, DataType configured) {
    this.size = size;
    this.configured = configured;
  }

  /** Bytes of a value; 0 where values differ. */
  int size() {
    return size;
  }

  /** What a model's configuration calls it. */
  DataType configured() {
    return configured;
  }
}
