package dev.wukong.serving.predict;

import dev.wukong.data.EncodedRows;

/** Room for a request's encoded rows, used again by the next. One request at a time. */
final class RequestRoom {
  private static final EncodedRows NONE =
      new EncodedRows(0, new long[0], new float[0], new float[0]);

  EncodedRows context = NONE;
  EncodedRows candidates = NONE;
}
