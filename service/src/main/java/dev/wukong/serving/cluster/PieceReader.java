package dev.wukong.serving.cluster;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Reads what {@link Pieces} wrote, and trusts none of it: no array is made for more than the bytes
 * that are left can hold. One thread.
 */
final class PieceReader {
  private final List<byte[]> pieces;
  private long left;
  private int piece;
  private int at;

  PieceReader(List<byte[]> pieces) {
    this.pieces = pieces;
    this.left = pieces.stream().mapToLong(bytes -> bytes.length).sum();
  }

  /** Something is not as it was written. */
  static CommitException damaged(String what) {
    return new CommitException("a commit is damaged: " + what);
  }

  private ByteBuffer take(long size) {
    if (size < 0 || size > left) {
      throw damaged("it should go on for %d bytes, %d are left".formatted(size, left));
    }
    byte[] taken = new byte[Math.toIntExact(size)];
    int filled = 0;
    while (filled < taken.length) {
      byte[] from = pieces.get(piece);
      int part = Math.min(taken.length - filled, from.length - at);
      System.arraycopy(from, at, taken, filled, part);
      filled += part;
      at += part;
      if (at == from.length) {
        piece++;
        at = 0;
      }
    }
    left -= size;
    return ByteBuffer.wrap(taken).order(ByteOrder.LITTLE_ENDIAN);
  }

  boolean ended() {
    return left == 0;
  }

  int one() {
    return take(1).get();
  }

  /** One that counts things of at least so many bytes each. */
  int count(int each) {
    int count = take(Integer.BYTES).getInt();
    if (count < 0 || (long) count * each > left) {
      throw damaged("it should have %d of %d bytes, %d are left".formatted(count, each, left));
    }
    return count;
  }

  int number() {
    return take(Integer.BYTES).getInt();
  }

  long longNumber() {
    return take(Long.BYTES).getLong();
  }

  String text() {
    return new String(bytes(), StandardCharsets.UTF_8);
  }

  byte[] bytes() {
    return take(count(1)).array();
  }

  long[] numbers(int count) {
    long[] values = new long[count];
    take((long) count * Long.BYTES).asLongBuffer().get(values);
    return values;
  }

  float[] floats(long count) {
    ByteBuffer bytes = take(Math.multiplyExact(count, Float.BYTES));
    float[] values = new float[Math.toIntExact(count)];
    bytes.asFloatBuffer().get(values);
    return values;
  }
}
