package dev.wukong.serving.retraining;

import java.nio.ByteBuffer;

/**
 * A healthy state that can be stepped back to.
 *
 * @param number counts them; 0 is the bundle
 * @param atMs when it was promoted, by the log's clock
 * @param position in the log of the first event that is not in it
 * @param dense how often the dense weights had changed since the bundle
 * @param steps of the optimizers
 * @param examples learned from since the bundle
 * @param pieces that its dense weights are kept in
 * @param golden the probabilities of the bundle's golden rows
 */
@SuppressWarnings("ArrayRecordComponent") // On its way to disk or from it, never compared.
record Generation(
    long number,
    long atMs,
    long position,
    long dense,
    long steps,
    long examples,
    int pieces,
    float[] golden) {
  private static final byte FORM = 1;
  private static final int HEADER = 1 + 6 * Long.BYTES + Integer.BYTES;

  /** The same with its dense weights kept in so many pieces. */
  Generation of(int kept) {
    return new Generation(number, atMs, position, dense, steps, examples, kept, golden);
  }

  byte[] bytes() {
    ByteBuffer to = ByteBuffer.allocate(HEADER + golden.length * Float.BYTES);
    to.put(FORM).putLong(number).putLong(atMs).putLong(position);
    to.putLong(dense).putLong(steps).putLong(examples).putInt(pieces);
    to.asFloatBuffer().put(golden);
    return to.array();
  }

  static Generation of(byte[] bytes) {
    ByteBuffer from = ByteBuffer.wrap(bytes);
    if (bytes.length < HEADER || from.get() != FORM) {
      throw new IllegalStateException("a healthy state was written by another build");
    }
    long number = from.getLong();
    long atMs = from.getLong();
    long position = from.getLong();
    long dense = from.getLong();
    long steps = from.getLong();
    long examples = from.getLong();
    int pieces = from.getInt();
    float[] golden = new float[from.remaining() / Float.BYTES];
    from.asFloatBuffer().get(golden);
    return new Generation(number, atMs, position, dense, steps, examples, pieces, golden);
  }
}
